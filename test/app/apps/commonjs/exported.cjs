const { join } = require("node:path");

module.exports = (request, response) => response.end(JSON.stringify([request.url, join(__dirname, "x")]));
