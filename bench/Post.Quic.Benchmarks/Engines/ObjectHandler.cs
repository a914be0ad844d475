namespace Post.Quic.Benchmarks.Engines;

/// <summary>Takes what arrives of objects.</summary>
/// <param name="number">The object's number at its sender, from 0.</param>
/// <param name="piece">The next bytes of it; small objects come in one piece.</param>
/// <param name="isLast">The object ends with them.</param>
internal delegate void ObjectHandler(long number, ReadOnlySpan<byte> piece, bool isLast);
