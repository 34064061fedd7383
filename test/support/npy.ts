/** The bytes of a `.npy` file with this header dictionary and data. */
export function npyBytes(header: string, data: Uint8Array, version = 1): Uint8Array {
  const prefix = version === 1 ? 10 : 12;
  const text = new TextEncoder().encode(header);
  const padding = 63 - ((prefix + text.length) % 64);
  const bytes = new Uint8Array(prefix + text.length + padding + 1 + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  const length = text.length + padding + 1;
  if (version === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  bytes.set(text, prefix);
  bytes.fill(0x20, prefix + text.length, prefix + text.length + padding);
  bytes[prefix + text.length + padding] = 0x0a;
  bytes.set(data, prefix + length);
  return bytes;
}

/** The header dictionary as numpy writes it. */
export function npyHeader(descr: string, shape: string, fortran = false): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }`;
}
