"""The rehearsal report for Python tests."""

import json
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlencode

_PATH = "/__admin/report"


class ReportControls(ABC):
    """The methods of `Controls` that read the rehearsal report."""

    @abstractmethod
    def _send(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        """Call the admin API; return the status and the body of the response."""

    @abstractmethod
    def _raise_for(self, status: int, content: bytes) -> None:
        """Raise the error of a call that failed."""

    def report(self, *, final: bool = False) -> dict[str, Any]:
        """The rehearsal report as JSON. `final`: no further call follows, so that no rule of advice waits for one."""
        return dict(json.loads(self._report_call("GET", final=str(final).lower())))

    def report_counts(self) -> bytes:
        """What a report is made from, to merge it with the counts of other mocks. The form is no promise."""
        return self._report_call("GET", format="counts")

    def clear_report(self, key: str | None = None) -> None:
        """Begin the report anew; with a key, forget only the calls of that key."""
        self._report_call("DELETE", **({} if key is None else {"key": key}))

    def _report_call(self, method: str, **parameters: str) -> bytes:
        query = f"?{urlencode(parameters)}" if parameters else ""
        status, content = self._send(method, _PATH + query, b"", "application/json")
        self._raise_for(status, content)
        return content
