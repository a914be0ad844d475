namespace Post.Quic.Security;

/// <summary>Why a peer's certificate was refused on this side.</summary>
/// <param name="Reason">What was expected, what came, and what to do.</param>
/// <param name="Failure">What the application's callback threw, if it did.</param>
internal sealed record PeerRefusal(string Reason, Exception? Failure = null);
