/* Stands in for the decoder of a compression that no model of ours uses. */
export const MeshoptDecoder = { supported: false, ready: Promise.resolve() };
