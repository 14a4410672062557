// Loaded before Azurite: refuses Get Account Information, for which the app's data role has no right (getInfo/action).
// https://learn.microsoft.com/rest/api/storageservices/get-account-information#permissions
const http = require("node:http");

const emit = http.Server.prototype.emit;
const CODE = "AuthorizationPermissionMismatch";
const TEXT = "This request is not authorized to perform this operation using this permission.";
const BODY = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${CODE}</Code><Message>${TEXT}</Message></Error>`;

function asksForTheAccount(request) {
  const query = new URL(request.url, "http://lake").searchParams;
  return query.get("restype") === "account" && query.get("comp") === "properties";
}

http.Server.prototype.emit = function (event, request, response, ...others) {
  if (event !== "request" || !asksForTheAccount(request)) return emit.call(this, event, request, response, ...others);
  response.writeHead(403, { "Content-Type": "application/xml", "x-ms-error-code": CODE });
  response.end(request.method === "HEAD" ? undefined : BODY);
  return true;
};
