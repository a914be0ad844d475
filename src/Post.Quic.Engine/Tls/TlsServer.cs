using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>The server's side of the handshake.</summary>
internal abstract class TlsServer : TlsSession
{
    /// <summary>Answers <see cref="ITlsHost.OnClientHello"/>, also from within it.</summary>
    public abstract TransportError ProvideOptions(TlsServerOptions options, long now);
}
