"""The control plane over HTTP: the admin API below `/__admin`, its pages, `/healthz` and the gallery of pictures."""

from mock_server.admin.access import Access
from mock_server.admin.site import create_site

__all__ = ["Access", "create_site"]
