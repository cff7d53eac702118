import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AccessStore } from "./access-store.ts";
import { createAttempts } from "./attempts.ts";
import type { Edge } from "./edge-store.ts";
import { createFacilities } from "./facilities.ts";
import { digestOf } from "./secrets.ts";

/** A certificate that was issued to an edge. */
export interface EdgeCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly serial: string;
  readonly notAfter: number;
}

/** What an edge says of itself when it is given a certificate, and who certifies its key. */
export interface EdgeAsking {
  readonly software: string;
  /** What it signs with from now on: Ed25519, raw, base64url. */
  readonly signingKey: string;
  issue(edge: Edge): Promise<EdgeCertificate>;
}

/** The devices of ours in facilities: each is enrolled with a code, comes in with a certificate, and is shut out on one word. */
export interface Edges {
  list(): Promise<Edge[]>;
  /** Problem `absent` when there is none. */
  named(id: string): Promise<Edge>;
  /** The secret of its code is told this once. Problem `conflict` when the name is taken, or there are too many. */
  invite(name: string, facility: string): Promise<{ readonly edge: Edge; readonly secret: Buffer }>;
  /** Another code for one that is there: what it has holds until that is used. */
  inviteAgain(id: string): Promise<{ readonly edge: Edge; readonly secret: Buffer }>;
  /** Who was given the code of that secret. Problem `absent` when nobody was or its time is over, `busy` after too many wrong ones from there. */
  invited(secret: Uint8Array, from: string): Promise<Edge>;
  /** Uses up the code by which `invited` knew it. Problem `absent` when somebody else did. */
  enrol(edge: Edge, asking: EdgeAsking): Promise<EdgeCertificate>;
  /** The certificate that it came with holds until the new one is shown. */
  renew(id: string, asking: EdgeAsking): Promise<EdgeCertificate>;
  /** Who comes with a certificate that was issued here. Problem `unproven`, saying why, when it does not count. */
  admit(id: string, serial: string): Promise<Edge>;
  /** All that it ever signed with, the newest first: also of one that was revoked or removed since. */
  signingKeysOf(id: string): Promise<string[]>;
  /** It was seen now. */
  touch(id: string): Promise<void>;
  /** Effective at once. Problem `absent` when there is none, `conflict` when there is nothing to revoke. */
  revoke(id: string): Promise<Edge>;
  remove(id: string): Promise<void>;
  /** Told of each that was changed or seen. Returns how to stop watching. */
  watch(listener: (id: string) => void): () => void;
}

export const edgeCodeMinutes = 15;
const secretBytes = 10;
const edgesMost = 1_000;
/** A box makes one when it is enrolled. */
const signingKeysMost = 100;
/** Nobody guesses 80 bits: this bounds what the trying costs us. */
const slowing = { free: 10, firstPauseMs: 2_000, longestPauseMs: 15 * 60_000 };

export function createEdges(parts: { store: AccessStore; clock: Clock; random: Random }): Edges {
  const { store, clock, random } = parts;
  const facilities = createFacilities(parts);
  const attempts = createAttempts(clock);
  const listeners = new Set<(id: string) => void>();
  const tell = (id: string) => {
    for (const listener of listeners) listener(id);
  };
  const newCode = () => {
    const secret = Buffer.from(random(new Uint8Array(secretBytes)));
    return { secret, codeDigest: digestOfCode(secret), codeEndsAt: clock.now() + edgeCodeMinutes * 60_000 };
  };
  const named = async (id: string): Promise<Edge> => {
    const edge = await store.edge(id);
    if (edge === undefined) throw noSuchEdge();
    return edge;
  };
  /** Somebody may change it meanwhile: then looks again. */
  const change = async (id: string, to: (edge: Edge) => Parameters<AccessStore["changeEdge"]>[1]): Promise<Edge> => {
    for (let tries = 0; tries < 5; tries++) {
      const edge = await named(id);
      if (!(await store.changeEdge(edge, to(edge)))) continue;
      tell(id);
      return named(id);
    }
    throw new Problem("busy", "the edge is being changed", { remedy: "try again" });
  };

  /** Before a certificate is issued: what comes with it is noted behind, and must not fail then. */
  const checkSigningKey = async (id: string, publicKey: string): Promise<void> => {
    if (!/^[\w-]{43}$/.test(publicKey)) throw new Problem("invalid", "not the public half of a signing key");
    const known = await store.signingKeys(id);
    if (known.length < signingKeysMost || known.some((key) => key.publicKey === publicKey)) return;
    const remedy = "remove it in the cloud, and add it again";
    throw new Problem("conflict", "this edge has had too many signing keys", { remedy });
  };
  const noteSigningKey = (edge: string, publicKey: string) =>
    store.addSigningKey({ edge, publicKey, since: clock.now() });

  return {
    list: () => store.edges(),
    named,
    async invite(typed, facility) {
      const name = typed.trim();
      if (!/^[^\p{C}]{1,64}$/u.test(name)) {
        throw new Problem("invalid", "not a name for an edge", {
          remedy: "1 to 64 characters, as you would find it again",
        });
      }
      if ((await store.edges()).length >= edgesMost) {
        throw new Problem("conflict", "there are too many edges", {
          remedy: "remove those that are not there any more",
        });
      }
      const { secret, ...code } = newCode();
      const edge: Edge = {
        ...{ id: newToken(random), name, facility: await facilities.require(facility), state: "invited", version: 1 },
        ...code,
        ...{ serial: "", nextSerial: "", notAfter: 0, software: "" },
        ...{ createdAt: clock.now(), enrolledAt: 0, lastSeenAt: 0, revokedAt: 0 },
      };
      await store.addEdge(edge);
      tell(edge.id);
      return { edge, secret };
    },
    async inviteAgain(id) {
      const { secret, ...code } = newCode();
      return { edge: await change(id, () => code), secret };
    },
    async invited(secret, from) {
      const digest = digestOfCode(secret);
      const found = (await store.edges()).find(
        ({ codeDigest, codeEndsAt }) => codeDigest === digest && clock.now() < codeEndsAt,
      );
      if (found !== undefined) return found;
      // Guesses alone are slowed down: a stranger behind the same address keeps nobody from enrolling.
      await attempts.make([{ key: from, slowing }], async () => undefined);
      throw noSuchCode();
    },
    async enrol(edge, { software, signingKey, issue }) {
      await checkSigningKey(edge.id, signingKey);
      const issued = await issue(edge);
      const { serial, notAfter } = issued;
      const used = { codeDigest: "", codeEndsAt: 0, nextSerial: "", revokedAt: 0 };
      const to = { ...used, state: "enrolled" as const, serial, notAfter, software, enrolledAt: clock.now() };
      if (!(await store.changeEdge(edge, to))) throw noSuchCode();
      await noteSigningKey(edge.id, signingKey);
      tell(edge.id);
      return issued;
    },
    async renew(id, { software, signingKey, issue }) {
      await checkSigningKey(id, signingKey);
      const issued = await issue(await named(id));
      await change(id, (edge) => {
        if (edge.state !== "enrolled") throw notTaken(edge);
        return { nextSerial: issued.serial, notAfter: issued.notAfter, software };
      });
      await noteSigningKey(id, signingKey);
      return issued;
    },
    async admit(id, serial) {
      const edge = await store.edge(id);
      if (edge?.state !== "enrolled") throw notTaken(edge);
      if (serial === edge.serial) return edge;
      if (serial !== edge.nextSerial) throw superseded();
      return change(id, (now) => {
        if (now.state !== "enrolled") throw notTaken(now);
        if (serial !== now.nextSerial && serial !== now.serial) throw superseded();
        return { serial, nextSerial: "" };
      });
    },
    async signingKeysOf(id) {
      return (await store.signingKeys(id)).map(({ publicKey }) => publicKey);
    },
    async touch(id) {
      await store.touchEdge(id, clock.now());
      tell(id);
    },
    revoke: (id) =>
      change(id, (edge) => {
        if (edge.state === "revoked" && edge.codeDigest === "") {
          throw new Problem("conflict", "the edge is revoked already", { remedy: "make a new code to enrol it again" });
        }
        const nothing = { codeDigest: "", codeEndsAt: 0, serial: "", nextSerial: "" };
        return { ...nothing, state: "revoked", revokedAt: clock.now() };
      }),
    async remove(id) {
      if (!(await store.removeEdge(id))) throw noSuchEdge();
      tell(id);
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const digestOfCode = (secret: Uint8Array) => digestOf(Buffer.from(secret).toString("hex"));

function noSuchEdge(): Problem {
  return new Problem("absent", "no such edge", { remedy: "leadglass edge list shows those there are" });
}

function noSuchCode(): Problem {
  const remedy = "the cloud's page for edges, or leadglass edge add, makes a new one, good once and for 15 minutes";
  return new Problem("absent", "this code was used, has expired or never was one", { remedy });
}

function notTaken(edge: Edge | undefined): Problem {
  const why = edge?.state === "revoked" ? "was revoked" : "is not enrolled";
  const remedy = "make a new code in the cloud, and enrol it again with that";
  return new Problem("unproven", `this edge ${why}`, { remedy });
}

/** Either the box was set back to an older state, or somebody has a copy of its key. */
function superseded(): Problem {
  const remedy = "revoke this edge in the cloud and enrol it again: else somebody may have a copy of its key";
  return new Problem("unproven", "this edge has been given a newer certificate than the one it shows", { remedy });
}
