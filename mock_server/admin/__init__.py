"""The control plane over HTTP: the admin API below `/__admin`, its pages, `/healthz` and the gallery of pictures."""
