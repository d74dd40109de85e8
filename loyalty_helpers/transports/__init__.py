"""What a request goes through: the network, a recording, Square's published examples."""

from loyalty_helpers.transports.answers import LONG_WAIT, Answer, come_back, read_answer
from loyalty_helpers.transports.http import httpx
from loyalty_helpers.transports.network import ATTEMPT, LONGEST_ATTEMPT, BearerToken, Network
from loyalty_helpers.transports.published import PublishedExamples
from loyalty_helpers.transports.recordings import (
    Drift,
    Recorded,
    RecordingTransport,
    ReplayTransport,
    Source,
    differences,
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
    "Drift",
    "Network",
    "PublishedExamples",
    "Recorded",
    "RecordingTransport",
    "ReplayTransport",
    "Source",
    "come_back",
    "differences",
    "httpx",
    "load_recording",
    "read_answer",
    "recording_file",
    "save_recording",
]
