// ocpp-rpc in strict mode: JSON.parse, the checks of the envelope, ajv over its copy of the schemas; `json` is JSON.parse alone.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const validators = require('ocpp-rpc/lib/standard-validators.js');

const [file, name] = process.argv.slice(2);
const { rounds, kinds, faults } = JSON.parse(readFileSync(file, 'utf8'));

function ocppRpc(subprotocol) {
  const validator = validators.find((known) => known.subprotocol === subprotocol);
  // What lib/client.js does with a message, up to the handler.
  return (buffer) => {
    const message = JSON.parse(buffer.toString('utf8'));
    if (!Array.isArray(message)) throw new Error('no array');
    const [type, id, ...more] = message;
    if (typeof type !== 'number' || ![2, 3, 4].includes(type)) throw new Error('type');
    if (typeof id !== 'string') throw new Error('id');
    const [method, params] = more;
    if (typeof method !== 'string') throw new Error('method');
    validator.validate(`urn:${method}.req`, params);
    return message;
  };
}

const make = { 'ocpp-rpc': ocppRpc, json: () => (buffer) => JSON.parse(buffer.toString('utf8')) }[name];
const takes = {}, ns = {}, refused = [];
const fine = (read, frame) => { try { read(frame); return true; } catch { return false; } };

for (const { name, subprotocol, action, frame } of faults) {
  if (!fine(make(subprotocol, action), Buffer.from(frame))) refused.push(name);
}
for (const { name, subprotocol, action, frames } of kinds) {
  const read = make(subprotocol, action);
  const buffers = frames.map((frame) => Buffer.from(frame));
  takes[name] = buffers.filter((frame) => fine(read, frame)).length;
  if (takes[name] < buffers.length) continue;
  const passes = Math.max(1, Math.floor(400_000 / buffers.reduce((sum, frame) => sum + frame.length, 0)));
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let pass = 0; pass < passes; pass++) for (const frame of buffers) read(frame);
    const spent = Number(process.hrtime.bigint() - start) / passes / buffers.length;
    ns[name] = Math.min(ns[name] ?? Infinity, spent);
  }
}
console.log(JSON.stringify({ takes, refused, ns }));
