"""What a request goes through: the network, a recording, Square's published examples."""

from loyalty_helpers.transports.answers import (
    LONG_WAIT,
    Answer,
    Failure,
    come_back,
    failure,
    not_sent,
    read_answer,
    unknown,
    verdict,
)
from loyalty_helpers.transports.drift import Difference, differences
from loyalty_helpers.transports.http import httpx
from loyalty_helpers.transports.network import ATTEMPT, LONGEST_ATTEMPT, BearerToken, network
from loyalty_helpers.transports.published import PublishedExamples
from loyalty_helpers.transports.recordings import (
    Recorded,
    RecordingTransport,
    ReplayTransport,
    load_recording,
    recording_file,
    save_recording,
)

__all__ = [
    "ATTEMPT",
    "LONGEST_ATTEMPT",
    "LONG_WAIT",
    "Answer",
    "BearerToken",
    "Difference",
    "Failure",
    "PublishedExamples",
    "Recorded",
    "RecordingTransport",
    "ReplayTransport",
    "come_back",
    "differences",
    "failure",
    "httpx",
    "load_recording",
    "network",
    "not_sent",
    "read_answer",
    "recording_file",
    "save_recording",
    "unknown",
    "verdict",
]
