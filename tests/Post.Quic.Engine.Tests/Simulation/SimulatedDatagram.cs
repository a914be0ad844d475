using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>A datagram under way.</summary>
internal sealed record SimulatedDatagram(NetworkAddress From, NetworkAddress To, EcnCodepoint Ecn, byte[] Payload)
{
    /// <summary>Sent by the client's side.</summary>
    public bool FromClient { get; init; }

    /// <summary>Counts the datagrams of that side from 0.</summary>
    public int Index { get; init; }

    /// <summary>The link it goes over; null for an attacker's.</summary>
    public SimulatedLink? Link { get; init; }
}
