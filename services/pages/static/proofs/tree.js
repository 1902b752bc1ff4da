/** The Merkle tree of a log (RFC 6962), and the proofs of it. Sizes and positions are BigInt: a log may be long. */

import { sha256, toHex } from "./bytes.js";
import { Wrong, same } from "./wrong.js";

/** Of an inner node. */
export function nodeHash(left, right) {
  return sha256(Uint8Array.of(1), left, right);
}

/** The root of a tree of that size in which the leaf at a position, counted from 1, has that path. */
export async function rootAlong(leaf, position, size, path) {
  let [node, index, last] = [leaf, position - 1n, size - 1n];
  if (index < 0n || index > last) throw new Wrong("position-in-tree", `1 – ${size}`, position);
  for (const other of path) {
    if (!last) throw new Wrong("path-length", "", path.length);
    if (index & 1n || index === last) {
      node = await nodeHash(other, node);
      while (index && !(index & 1n)) [index, last] = [index >> 1n, last >> 1n];
    } else {
      node = await nodeHash(node, other);
    }
    [index, last] = [index >> 1n, last >> 1n];
  }
  if (last) throw new Wrong("path-length", "", path.length);
  return node;
}

/** Throw Wrong unless the larger of two trees begins with the smaller; each is `{size, root}`. */
export async function requireConsistent(smaller, larger, path) {
  if (smaller.size === larger.size || smaller.size === 0n) {
    same("path-length", 0, path.length);
    if (smaller.size) same("tree-changed", toHex(smaller.root), toHex(larger.root));
    return;
  }
  let [index, last] = [smaller.size - 1n, larger.size - 1n];
  while (index & 1n) [index, last] = [index >> 1n, last >> 1n];
  const [first, ...others] = index ? path : [smaller.root, ...path];
  if (!first) throw new Wrong("path-length", "", path.length);
  let [old, young] = [first, first];
  for (const other of others) {
    if (!last) throw new Wrong("path-length", "", path.length);
    if (index & 1n || index === last) {
      [old, young] = [await nodeHash(other, old), await nodeHash(other, young)];
      while (index && !(index & 1n)) [index, last] = [index >> 1n, last >> 1n];
    } else {
      young = await nodeHash(young, other);
    }
    [index, last] = [index >> 1n, last >> 1n];
  }
  if (last) throw new Wrong("path-length", "", path.length);
  same("tree-changed", toHex(smaller.root), toHex(old));
  same("tree-changed", toHex(larger.root), toHex(young));
}

/** A tree that grows from left to right. It keeps the roots of its complete sub-trees, the largest first. */
export class Tree {
  constructor() {
    this.size = 0;
    this.complete = [];
  }

  /** Add a leaf, or the root of a complete sub-tree of 2, 4, 8 … leaves where one begins. */
  async append(root, count = 1) {
    let [leaves, node] = [count, root];
    if (count < 1 || !Number.isInteger(Math.log2(count)) || this.size % count) throw new Wrong("path-length", this.size, count);
    this.size += count;
    while (this.complete.at(-1)?.leaves === leaves) {
      node = await nodeHash(this.complete.pop().node, node);
      leaves *= 2;
    }
    this.complete.push({ leaves, node });
  }

  /** The root of all leaves so far. */
  async root() {
    if (!this.complete.length) return sha256();
    let root = this.complete.at(-1).node;
    for (const { node } of this.complete.slice(0, -1).reverse()) root = await nodeHash(node, root);
    return root;
  }
}
