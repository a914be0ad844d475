using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

internal static class RawConnections
{
    /// <summary>Loses a connection, for both of its ends.</summary>
    public static void Lose(this TransportConnection connection, RawClients world) =>
        world.Network.Wires.Single(wire => wire.Client == Behind(connection)).Break(TransportErrorReason.TimedOut);

    /// <inheritdoc cref="Lose(TransportConnection, RawClients)"/>
    public static void Lose(this RawEnd end, RawServer server) =>
        server.World.Network.Wires.Single(wire => wire.Server == Behind(end.Connection)).Break(TransportErrorReason.TimedOut);

    private static TransportConnection Behind(TransportConnection connection) => ((GuardedConnection)connection).Inner;
}
