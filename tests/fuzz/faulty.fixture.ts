// A parser with a fault of each kind, to see that the fuzzer finds them.
const held: Uint8Array[] = [];

export const faultyTarget = {
  cpuMsMax: 100,
  seeds: (): Uint8Array[] => [new Uint8Array(40)],
  words: ["T", "S", "M"].map((letter) => Uint8Array.from(Buffer.from(`${letter}!`))),
  run(input: Uint8Array): void {
    const at = input.indexOf(0x21);
    const letter = at < 1 ? "" : String.fromCharCode(input[at - 1]!);
    held.length = 0;
    if (letter === "T") throw new TypeError("a fault that is nobody's refusal");
    if (letter === "M") held.push(new Uint8Array(80 * 2 ** 20));
    const began = process.threadCpuUsage();
    const spent = () => process.threadCpuUsage(began).user / 1_000;
    while (letter === "H" || (letter === "S" && spent() < 120));
  },
};
