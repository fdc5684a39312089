<?php
// PHP's curl extension with a CURLFile; HTTP version 2.0, as Guzzle sets it for 'version' => 2.0.
while (($line = fgets(STDIN)) !== false) {
    [$kind, $url, $first, $path] = array_pad(explode("\t", rtrim($line, "\n")), 4, null);
    $call = curl_init($url);
    curl_setopt_array($call, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_2_0,
        CURLOPT_POSTFIELDS => $kind === 'upload'
            ? ['userLanguage' => 'en', 'image' => new CURLFile($path)]
            : json_encode(json_decode($first, true)),
        CURLOPT_HTTPHEADER => $kind === 'upload' ? ["X-API-Key: $first"] : ['Content-Type: application/json'],
    ]);
    $body = curl_exec($call);
    echo curl_getinfo($call, CURLINFO_RESPONSE_CODE), "\t", json_encode(json_decode($body, false, 512, JSON_THROW_ON_ERROR)), "\n";
}
