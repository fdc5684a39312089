"""Drawing plates, VIN plates and car scenes, for tests and examples. The command line alone imports it."""
