import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";

const viewer = "https://viewer.example";
let door: OpenDoor;
before(async () => {
  door = await openDoor(undefined, { isAllowedOrigin: (origin) => origin === viewer });
});
after(() => door.close());

const options = (url: string, headers: Record<string, string> = {}) =>
  door.server.inject({ method: "OPTIONS", url, headers });

test("the root and every resource tell all that is offered as WADL to who asks for it", async () => {
  for (const url of ["/dicom-web", "/dicom-web/", "/dicom-web/studies", "/dicom-web/studies/1.2/metadata"]) {
    const answer = await options(url, { accept: "application/vnd.sun.wadl+xml" });
    assert.equal(answer.statusCode, 200, url);
    assert.equal(answer.headers["content-type"], "application/vnd.sun.wadl+xml");
    for (const part of [
      '<resources base="http://localhost:80/dicom-web">',
      '<resource path="studies/{study}/series/{series}/instances/{instance}/frames/{frames}">',
      '<param name="PatientName" style="query"/>',
      '<method name="DELETE">',
      'mediaType="multipart/related; type=&quot;application/dicom+xml&quot;"',
    ]) {
      assert.ok(answer.body.includes(part), `${url}: ${part}`);
    }
  }
});

test("every route answers a browser that asks first, with the methods that it has, for a page that may call", async () => {
  for (const [url, allowed] of [
    ["/dicom-web/studies", "GET, HEAD, POST, OPTIONS"],
    ["/dicom-web/studies/1.2", "GET, HEAD, POST, DELETE, OPTIONS"],
    ["/dicom-web/studies/1.2/series/1.3/instances/1.4/frames/1", "GET, HEAD, OPTIONS"],
    ["/dicom-web/studies/1.2/reject/113039^DCM", "POST, OPTIONS"],
    ["/dicom-web/studies/1.2/rejected", "GET, HEAD, OPTIONS"],
  ] as const) {
    const asked = { "access-control-request-method": "GET", "access-control-request-headers": "authorization, range" };
    const { statusCode, headers } = await options(url, { origin: viewer, ...asked });
    assert.deepEqual(
      [statusCode, headers.allow, headers["access-control-allow-methods"]],
      [204, allowed, allowed],
      url,
    );
    assert.equal(headers["access-control-allow-origin"], viewer);
    for (const name of ["Authorization", "Accept", "Content-Type", "Range"]) {
      assert.ok(String(headers["access-control-allow-headers"]).includes(name), name);
    }
    assert.equal(headers["access-control-max-age"], "7200");
    const other = await options(url, { origin: "https://elsewhere.example", ...asked });
    assert.equal(other.headers["access-control-allow-origin"], undefined);
  }
});
