import type { Permission } from "#formats/api";

/** What an application asks for, as a person would say it. */
export const permissionWords: Readonly<Record<Permission, string>> = {
  "know-you": "know your name",
  search: "find studies that you may find",
  view: "look at the images that you may see",
  read: "take away images and reports that you may read",
  store: "send images in your name",
  correct: "correct what identifies a study in your name",
  audit: "read the log of who did what",
  stay: "go on when you have closed the browser",
};

export function days(seconds: number): string {
  const count = Math.round(seconds / 86_400);
  return count === 1 ? "one day" : `${count} days`;
}
