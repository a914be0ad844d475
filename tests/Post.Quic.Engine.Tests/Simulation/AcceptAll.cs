using Post.Quic.Engine.Tls.Tickets;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>An anti-replay memory that has forgotten everything.</summary>
internal sealed class AcceptAll : IAntiReplay
{
    public bool TryUse(ReadOnlySpan<byte> identifier, DateTimeOffset now, DateTimeOffset until) => true;
}
