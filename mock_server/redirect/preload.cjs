// Node loads this file before the program, because NODE_OPTIONS names it. It redirects the host names in
// VEHICLE_OCR_MOCK_REDIRECT to a server on this machine. All other hosts, addresses and ports do not change.
// Node trusts the server's certificate because of NODE_EXTRA_CA_CERTS.
'use strict';

const dns = require('node:dns');
const net = require('node:net');
const { syncBuiltinESMExports } = require('node:module');

function install(route) {
  const names = new Set(route.names);
  const ports = { 80: route.http, 443: route.https };
  const covers = (host) => typeof host === 'string' && names.has(host.toLowerCase().replace(/\.$/, ''));

  function rewrite(options) {
    if (options === null || typeof options !== 'object' || options.path) return options;
    const host = covers(options.host) ? route.standIn : options.host;
    if (host !== route.standIn) return options;
    const port = ports[options.port];
    // Change a copy: the caller's object keeps the name, which the certificate is checked against.
    return Object.assign(Object.create(Object.getPrototypeOf(options)), options, {
      host: port ? route.address : host,
      port: port || options.port,
    });
  }

  // Every TCP connection of Node goes through here: net, tls, http, https, http2 and the built-in fetch.
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    if (Array.isArray(args[0])) {
      // Node's own modules pass arguments that are already normalised, in a marked array.
      args[0][0] = rewrite(args[0][0]);
    } else if (args[0] !== null && typeof args[0] === 'object') {
      args[0] = rewrite(args[0]);
    } else if (args[0] !== undefined && !Number.isNaN(Number(args[0]))) {
      const [port, host] = args;
      if (typeof host === 'string') {
        const to = rewrite({ host, port: Number(port) });
        args[0] = to.port;
        args[1] = to.host;
      }
    }
    return connect.apply(this, args);
  };

  const lookup = dns.lookup;
  dns.lookup = function (host, ...rest) {
    return lookup.call(this, covers(host) ? route.standIn : host, ...rest);
  };
  const lookupPromise = dns.promises.lookup;
  dns.promises.lookup = function (host, ...rest) {
    return lookupPromise.call(this, covers(host) ? route.standIn : host, ...rest);
  };
  syncBuiltinESMExports();
}

if (process.env.VEHICLE_OCR_MOCK_REDIRECT) {
  try {
    install(JSON.parse(process.env.VEHICLE_OCR_MOCK_REDIRECT));
  } catch (error) {
    process.stderr.write(`vehicle-ocr-mock: host names are not redirected in this process: ${error}\n`);
  }
}
