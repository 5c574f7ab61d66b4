// Loaded into a language server before its own code: whoever opens a connection ends the server, and says where it was going.
const net = require("node:net");
const dns = require("node:dns");

function refuse(...to) {
  process.stderr.write(`a connection was tried: ${JSON.stringify(to)}\n`);
  process.exit(97);
}
net.Socket.prototype.connect = (...to) => refuse(...to);
dns.lookup = (...to) => refuse(...to);
