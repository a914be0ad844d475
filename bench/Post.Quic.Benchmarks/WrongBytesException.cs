namespace Post.Quic.Benchmarks;

/// <summary>What came is not what was sent: whatever was measured with it is void.</summary>
internal sealed class WrongBytesException(string message) : Exception(message);
