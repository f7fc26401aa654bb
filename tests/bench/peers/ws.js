// node's ws doing the websocket job: decode, add two fields, write JSON lines.
const WebSocket = require('/usr/share/nodejs/ws');
const fs = require('fs');

const [url, path] = process.argv.slice(2);
const out = fs.openSync(path, 'w');
let lines = [];

function flush() {
    if (lines.length) fs.writeSync(out, lines.join(''));
    lines = [];
}

const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
socket.on('message', (data) => {
    const event = JSON.parse(data.toString());
    event.env = 'bench';
    event.via = 'websocket';
    lines.push(JSON.stringify(event) + '\n');
    if (lines.length >= 125) flush();
});
socket.on('close', () => {
    flush();
    fs.closeSync(out);
});
