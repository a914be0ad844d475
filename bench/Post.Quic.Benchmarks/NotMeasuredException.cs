namespace Post.Quic.Benchmarks;

/// <summary>Something that a case needs is missing here. The message says what, and is what the report shows.</summary>
internal sealed class NotMeasuredException(string message) : Exception(message);
