/** Says on standard error what an example is doing and how much is left, given each stage's share of the work. */
export function stages(total: number) {
  const began = performance.now();
  let done = 0;
  return (share: number, label: string) => {
    const left = done > 0 ? ((performance.now() - began) / done) * (total - done) : null;
    const eta = left === null ? '' : `, about ${Math.ceil(left / 1000)} s left`;
    process.stderr.write(`[${Math.floor((100 * done) / total)}%${eta}] ${label}\n`);
    done += share;
  };
}
