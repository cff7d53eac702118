import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { systemClock } from "#base/clock";
import { dialCloud, linkProtocols } from "#doors/link";
import { certified, newLinkAuthority, startLinks } from "./links.fixture.ts";

let house: Awaited<ReturnType<typeof startLinks>>;
const taken: { socket: TLSSocket; id: string }[] = [];
before(async () => {
  house = await startLinks();
  house.links.serveTransfers((socket, { id }) => {
    taken.push({ socket, id });
    socket.on("data", (bytes) => socket.write(bytes));
  });
});
after(() => house?.close());

const dial = (own?: { certificate: string; key: string }, authority = house.authority.certificate) =>
  dialCloud({
    cloud: house.cloud,
    clock: systemClock,
    protocol: linkProtocols.transfer,
    authority,
    ...(own && { own }),
  });
/** What comes back on it: a word that went round, or nothing when it was closed. */
const wordOver = async (socket: TLSSocket): Promise<string> => {
  socket.on("error", () => {});
  socket.write("hello");
  const [said] = await Promise.race([once(socket, "data"), once(socket, "close").then(() => [""])]);
  return String(said);
};

test("an edge that is enrolled is let in with its certificate, and what it says is its own", async () => {
  const { edge, own } = await house.enrolled();
  const socket = await dial(own);
  assert.equal(await wordOver(socket), "hello");
  assert.equal(taken.at(-1)?.id, edge.id);
  assert.deepEqual(house.acts.splice(0), ["edge.connect"]);
  assert.ok(((await house.edges.named(edge.id)).lastSeenAt ?? 0) > 0);
  socket.destroy();
});

test("attack 92: nobody is let in with no certificate, that of another authority, one out of its time, or one that was never registered", async () => {
  const { edge, own } = await house.enrolled();
  const strange = await certified(await newLinkAuthority(), edge.id);
  const unknown = await certified(house.authority, "0".repeat(32));
  const before = taken.length;
  for (const shown of [undefined, strange, unknown]) assert.equal(await wordOver(await dial(shown)), "");
  const { validTo } = new X509Certificate(own.certificate);
  house.clock.advance(Date.parse(validTo) - house.clock.now());
  assert.equal(await wordOver(await dial(own)), "");
  assert.equal(taken.length, before);
  assert.deepEqual(house.acts, []);
});

test("who is revoked is cut off at once, and one that another process revoked within 20 seconds", async () => {
  const [first, second] = [await house.enrolled(), await house.enrolled()];
  const sockets = [await dial(first.own), await dial(second.own)] as const;
  for (const socket of sockets) assert.equal(await wordOver(socket), "hello");
  const closed = sockets.map((socket) => once(socket, "close"));
  await house.edges.revoke(first.edge.id);
  await closed[0];
  assert.equal(await wordOver(sockets[1]), "hello");
  await house.store.changeEdge(await house.edges.named(second.edge.id), { state: "revoked" });
  house.clock.advance(20_000);
  await closed[1];
  assert.equal(await wordOver(await dial(first.own)), "");
  house.acts.splice(0);
});

test("edges are shown the pinned certificate, by name and by address, and everybody else the page's", async () => {
  const shown = async (options: object) => {
    const socket = connect({ port: house.cloud.port, rejectUnauthorized: false, ...options });
    try {
      await once(socket, "secureConnect");
      const certificate = socket.getPeerX509Certificate();
      const isPinned = certificate?.verify(new X509Certificate(house.authority.certificate).publicKey);
      return [isPinned ? "pinned" : "page", socket.alpnProtocol];
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    } finally {
      socket.destroy();
    }
  };
  const edge = { ALPNProtocols: [linkProtocols.transfer] };
  assert.deepEqual(await shown({ ...edge, host: "127.0.0.1" }), ["pinned", linkProtocols.transfer]);
  assert.deepEqual(await shown({ ...edge, servername: "localhost" }), ["pinned", linkProtocols.transfer]);
  for (const ALPNProtocols of [["h2", "http/1.1"], ["http/1.1"]]) {
    assert.deepEqual(await shown({ ALPNProtocols, servername: "localhost" }), ["page", "http/1.1"]);
  }
  assert.deepEqual(await shown({ servername: "localhost" }), ["page", false]);
  for (const refused of [{ ...edge, maxVersion: "TLSv1.2" }, { ALPNProtocols: ["h2"] }]) {
    assert.equal(await shown(refused), "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
  }
});

test("attack 92: a certificate of an edge is no server's, and the box believes no other authority", async () => {
  const { own } = await house.enrolled();
  assert.deepEqual(new X509Certificate(own.certificate).keyUsage, ["1.3.6.1.5.5.7.3.2"]);
  const other = await newLinkAuthority();
  await assert.rejects(dial(own, other.certificate), { code: "denied" });
});

test("an edge has 128 connections and no more; another may come when one has gone", async () => {
  const { own } = await house.enrolled();
  const sockets = await Promise.all(Array.from({ length: 128 }, () => dial(own)));
  for (const socket of sockets) assert.equal(await wordOver(socket), "hello");
  assert.equal(await wordOver(await dial(own)), "");
  const [first, ...others] = sockets;
  const before = taken.length;
  taken.find(({ socket }) => socket.remotePort === first?.localPort)?.socket.destroy();
  assert.equal(await wordOver(await dial(own)), "hello");
  assert.equal(taken.length, before + 1);
  for (const socket of others) socket.destroy();
  house.acts.splice(0);
});
