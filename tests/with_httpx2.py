"""`pytest -p tests.with_httpx2`: the same tests with httpx2 where the package imports httpx."""

import httpx2

httpx2.alias_httpx()
