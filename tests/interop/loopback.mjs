// Loaded into a client of the service before its own code: what it asks of the service's hosts goes to the server at
// LOOPBACK_URL, and whoever opens a connection to anywhere else ends the client, and says where it was going.
import dns from "node:dns";
import net from "node:net";

const HOSTS = new Set(["api.evolink.ai", "files-api.evolink.ai"]);
const here = new URL(process.env.LOOPBACK_URL);
const real = globalThis.fetch;

globalThis.fetch = (asked, options) => {
  const url = new URL(asked instanceof Request ? asked.url : asked);
  if (HOSTS.has(url.hostname)) Object.assign(url, {protocol: here.protocol, host: here.host});
  return real(url, options);
};
function refuse(...to) {
  process.stderr.write(`a connection was tried: ${JSON.stringify(to)}\n`);
  process.exit(97);
}
dns.lookup = (...to) => refuse(...to);
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...to) {
  const [{host, port}] = Array.isArray(to[0]) ? to[0] : to;
  return host === here.hostname && String(port) === here.port ? connect.apply(this, to) : refuse(host, port);
};
