using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What a connection tells its owner. Called from inside the core's calls, under the owner's gate: an implementation
/// notes what happened and returns; it never calls the core back and never waits. Spans are valid during the call.
/// </summary>
internal interface IConnectionEvents : IStreamEvents, IDatagramEvents
{
    /// <summary>
    /// Server: what the client asks for. Answer with <see cref="ConnectionCore.ProvideServerOptions"/>, after the call
    /// in progress has returned.
    /// </summary>
    void OnClientHello(in ClientHelloInfo info);

    /// <summary>
    /// Judge the peer's certificate and answer with <see cref="ConnectionCore.CompleteCertificateValidation"/>, after
    /// the call in progress has returned. Judging can take long: not under the gate.
    /// </summary>
    void OnCertificateToValidate(CertificateValidationRequest request);

    /// <summary>TLS has finished: the peer is who it says, ALPN is known, 1-RTT data flows.</summary>
    void OnHandshakeComplete();

    /// <summary>RFC 9001 section 4.1.2: migration and key updates are allowed from here on.</summary>
    void OnHandshakeConfirmed();

    /// <summary>The server took or refused early data. On refusal what was sent so far has to be sent anew.</summary>
    void OnEarlyDataDecided(bool accepted);

    /// <summary>A datagram came, and reached the machine at that time; in early data, an attacker may have replayed it.</summary>
    void OnDatagramReceived(ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt);

    /// <summary>The largest datagram that can be sent changed.</summary>
    void OnMaxDatagramSize(int size);

    void OnPath(in PathEvent change);

    /// <summary>The peer gave connection ids: a path or a move that waits for one may begin now.</summary>
    void OnPathCredit();

    /// <summary>
    /// A stateless reset token of the peer came into use for packets from <paramref name="remote"/>: a datagram that
    /// ends in it belongs to this connection whatever it begins with (RFC 9000 section 10.3).
    /// </summary>
    void OnResetTokenAdded(in NetworkAddress remote, in StatelessResetToken token);

    void OnResetTokenRemoved(in NetworkAddress remote, in StatelessResetToken token);

    /// <summary>Client: the session can be resumed with this.</summary>
    void OnSessionTicket(TlsSessionTicket ticket);

    /// <summary>A client received a token for a later connection (RFC 9000 section 8.1.3).</summary>
    void OnNewToken(ReadOnlySpan<byte> token);

    /// <summary>The connection is over for the application; packets may still be answered for a while.</summary>
    void OnClosed(in ConnectionCloseInfo info);

    /// <summary>The core needs nothing any more: routes and buffers can go.</summary>
    void OnDrained();
}
