<?php
// The requests of CarsXE's PHP client: file_get_contents with a stream context. ignore_errors shows the replies of errors.
while (($line = fgets(STDIN)) !== false) {
    [$url, $key, $image] = explode("\t", rtrim($line, "\n"));
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => "Content-Type: application/json\r\n",
        'content' => json_encode(['upload_url' => $image]),
        'ignore_errors' => true,
    ]]);
    $query = http_build_query(['key' => $key, 'source' => 'php']);
    $body = file_get_contents("$url?$query", false, $context);
    $status = explode(' ', $http_response_header[0])[1];
    echo $status, "\t", json_encode(json_decode($body, false, 512, JSON_THROW_ON_ERROR)), "\n";
}
