namespace Post.Quic.Engine.Endpoint;

/// <summary>Something that a listener is to hear of: a value, so that noting it allocates nothing.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Subject">The object that it happened to, where there is one; the array that has its bytes, where it has some.</param>
/// <param name="Number">A token, a stream's id, or a size.</param>
/// <param name="Value">An error code, a state, or when it arrived.</param>
/// <param name="Flag">Early data, or the answer to a question with two.</param>
/// <param name="Start">Where its bytes begin in the array.</param>
/// <param name="Length">How many bytes it has.</param>
internal readonly record struct ConnectionEvent(
    ConnectionEventKind Kind, object? Subject = null, long Number = 0, long Value = 0, bool Flag = false, int Start = 0, int Length = 0);
