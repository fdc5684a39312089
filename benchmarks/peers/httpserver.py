"""pytest-httpserver with the same reply for every path; needs the package to be installed."""

import sys
import threading

from pytest_httpserver import HTTPServer

if __name__ == "__main__":
    server = HTTPServer("127.0.0.1", int(sys.argv[1]), threaded=True)
    for path in ("/api/ocr/plate", "/platerecognition", "/v1/vinocr"):
        server.expect_request(path).respond_with_json({"result": "9DJC652"})
    server.start()
    threading.Event().wait()
