<?php
// PHP loads this file before the program (auto_prepend_file). PHP's curl extension heeds the proxy variables. PHP's own
// streams (file_get_contents, fopen, copy with a URL) do not, so calls to the mock's host names get the proxy here.
// All other URLs are opened as before.
(static function (): void {
    $route = json_decode((string) getenv('VEHICLE_OCR_MOCK_REDIRECT'), true);
    $proxy = getenv('https_proxy');
    if (!is_array($route) || !$proxy) {
        return;
    }
    VehicleOcrMockStream::$names = $route['names'];
    VehicleOcrMockStream::$proxy = str_replace('http://', 'tcp://', $proxy);
    VehicleOcrMockStream::register();
})();

final class VehicleOcrMockStream
{
    public static array $names = [];
    public static string $proxy = '';
    public $context;
    private $stream;

    public static function register(): void
    {
        foreach (array_intersect(['http', 'https'], stream_get_wrappers()) as $scheme) {
            stream_wrapper_unregister($scheme);
            stream_wrapper_register($scheme, self::class, STREAM_IS_URL);
        }
    }

    // The functions below are those of PHP's class streamWrapper.
    public function stream_open(string $path, string $mode, int $options, ?string &$opened): bool
    {
        $this->context ??= stream_context_get_default();
        $host = strtolower(rtrim((string) parse_url($path, PHP_URL_HOST), '.'));
        if (in_array($host, self::$names, true)) {
            stream_context_set_option($this->context, 'http', 'proxy', self::$proxy);
            stream_context_set_option($this->context, 'http', 'request_fulluri', !str_starts_with(strtolower($path), 'https'));
        }
        foreach (['http', 'https'] as $scheme) {
            stream_wrapper_restore($scheme);
        }
        try {
            $this->stream = fopen($path, $mode, false, $this->context);
        } finally {
            self::register();
        }
        // Inside a function, this variable of the caller cannot be set.
        $GLOBALS['http_response_header'] = $http_response_header ?? [];
        return $this->stream !== false;
    }

    public function stream_read(int $count): string|false
    {
        return fread($this->stream, $count);
    }

    public function stream_write(string $data): int
    {
        return (int) fwrite($this->stream, $data);
    }

    public function stream_eof(): bool
    {
        return feof($this->stream);
    }

    public function stream_close(): void
    {
        fclose($this->stream);
    }

    public function stream_stat(): array|false
    {
        return fstat($this->stream);
    }

    public function stream_set_option(int $option, int $first, ?int $second): bool
    {
        return match ($option) {
            STREAM_OPTION_BLOCKING => stream_set_blocking($this->stream, (bool) $first),
            STREAM_OPTION_READ_TIMEOUT => stream_set_timeout($this->stream, $first, (int) $second),
            default => false,
        };
    }

    public function stream_cast(int $for)
    {
        return $this->stream;
    }

    public function url_stat(string $path, int $flags): array|false
    {
        return false;
    }
}
