using System.Net;
using Microsoft.Extensions.Logging;

namespace Post.Quic.Engine.Endpoint;

/// <summary>What endpoints log.</summary>
internal static partial class EndpointLog
{
    [LoggerMessage(1, LogLevel.Information, "Connection with {Remote} ended: {Reason}")]
    public static partial void ConnectionClosed(ILogger logger, IPEndPoint remote, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The connection options callback failed for {Remote}; the client is refused")]
    public static partial void OptionsCallbackFailed(ILogger logger, Exception exception, IPEndPoint remote);

    [LoggerMessage(3, LogLevel.Warning, "The certificate validation callback failed for {Remote}; the peer is refused")]
    public static partial void ValidationCallbackFailed(ILogger logger, Exception exception, IPEndPoint remote);
}
