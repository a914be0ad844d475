using System.Net;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>One socket of a <see cref="MergedListener"/>.</summary>
/// <param name="EndPoint">Where it listens.</param>
/// <param name="Accept">Waits for the next connection; a failed handshake of one peer throws, too.</param>
/// <param name="Dispose">Closes it.</param>
internal sealed record ListenerSource(
    EndPoint EndPoint,
    Func<CancellationToken, ValueTask<TransportConnection>> Accept,
    Func<ValueTask> Dispose);
