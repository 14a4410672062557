// Loaded before Azurite: tells whoever asked for it of each blob that was written, as Event Grid would.
const { subscribe } = require("node:diagnostics_channel");
const http = require("node:http");

const LISTENER = process.env.LOCALCLOUD_LAKE_LISTENER;
const GATHER_MS = 50;
let written = [];

// Appending to a blob is no event on Azure either.
function isWrite(method, url, status) {
  const part = url.searchParams.get("comp");
  const whole = part === null || part === "blocklist";
  return method === "PUT" && whole && !url.searchParams.has("restype") && (status === 201 || status === 202);
}

// What nobody takes is dropped: a host that starts lists the container.
function tell() {
  const body = JSON.stringify(written);
  written = [];
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const request = http.request(LISTENER, { method: "POST", headers }, (response) => response.resume());
  request.on("error", () => {});
  request.end(body);
}

function note({ request, response }) {
  const url = new URL(request.originalUrl || request.url, "http://lake");
  if (!isWrite(request.method, url, response.statusCode)) return;
  const [container, ...path] = url.pathname.split("/").slice(2).map(decodeURIComponent);
  if (!path.length) return;
  if (!written.length) setTimeout(tell, GATHER_MS).unref();
  written.push({ container, blob: path.join("/"), etag: String(response.getHeader("etag")) });
}

if (LISTENER) subscribe("http.server.response.finish", note);
