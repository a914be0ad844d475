namespace Post.Quic.Engine.Tls.Tickets;

/// <summary>
/// Remembers which early-data hellos have been seen (RFC 8446 section 8.2). One memory serves all servers that can
/// open the same tickets, on any thread.
/// </summary>
internal interface IAntiReplay
{
    /// <summary>
    /// True once for each identifier. It must be remembered until <paramref name="until"/>; afterwards the hello's age
    /// gives a replay away. Whoever cannot remember answers false.
    /// </summary>
    bool TryUse(ReadOnlySpan<byte> identifier, DateTimeOffset now, DateTimeOffset until);
}
