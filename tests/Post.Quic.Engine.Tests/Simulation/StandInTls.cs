using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tests.Tls;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>
/// A handshake of TLS's shape without its cost: the same flights at the same levels, with transport parameters, and
/// secrets that anyone knows. For tests that need thousands of connections and ask nothing of TLS.
/// </summary>
internal sealed class StandInTls : TlsSession
{
    private const int SecretLength = 32;

    private readonly bool _isServer;

    public StandInTls(ITlsHost host, RandomSource random, TlsClock clock, bool isServer)
        : base(host, random, clock)
    {
        _isServer = isServer;
        CipherSuite = CipherSuite.Aes128GcmSha256;
        ApplicationProtocol = TlsPair.Protocol;
    }

    /// <summary>Makes something else of the transport parameters that go out.</summary>
    public Func<byte[], byte[]>? Spoil { get; init; }

    public override TransportError Start(long now)
    {
        if (!_isServer)
        {
            SendParameters(EncryptionLevel.Initial, HandshakeType.ClientHello);
        }

        return default;
    }

    private protected override bool Expects(HandshakeType type) => (_isServer, ReadLevel) switch
    {
        (true, EncryptionLevel.Initial) => type == HandshakeType.ClientHello,
        (true, EncryptionLevel.Handshake) => type == HandshakeType.Finished,
        (false, EncryptionLevel.Initial) => type == HandshakeType.ServerHello,
        (false, EncryptionLevel.Handshake) => type == HandshakeType.EncryptedExtensions,
        (false, EncryptionLevel.Application) => type == HandshakeType.NewSessionTicket,
        _ => false,
    };

    private protected override TransportError Handle(HandshakeType type, ReadOnlySpan<byte> message, long now) => type switch
    {
        HandshakeType.ClientHello => Answer(message[HandshakeAssembler.HeaderLength..]),
        HandshakeType.ServerHello => EnterHandshake(),
        HandshakeType.EncryptedExtensions => FinishAsClient(message[HandshakeAssembler.HeaderLength..]),
        HandshakeType.Finished => FinishAsServer(),
        _ => default,
    };

    private protected override TransportError Resume(long now) => default;

    private protected override void OnPeerAccepted()
    {
    }

    private TransportError Answer(ReadOnlySpan<byte> parameters)
    {
        TransportError error = Host.OnPeerTransportParameters(parameters);
        if (error.IsError)
        {
            return error;
        }

        SendMessage(EncryptionLevel.Initial, HandshakeType.ServerHello, []);
        error = EnterHandshake();
        SendParameters(EncryptionLevel.Handshake, HandshakeType.EncryptedExtensions);
        GiveSecret(EncryptionLevel.Application, KeyDirection.Send);
        return error;
    }

    private TransportError EnterHandshake()
    {
        TransportError error = EnterReadLevel(EncryptionLevel.Handshake);
        if (!error.IsError)
        {
            GiveSecret(EncryptionLevel.Handshake, KeyDirection.Receive);
            GiveSecret(EncryptionLevel.Handshake, KeyDirection.Send);
        }

        return error;
    }

    private TransportError FinishAsClient(ReadOnlySpan<byte> parameters)
    {
        TransportError error = Host.OnPeerTransportParameters(parameters);
        if (!error.IsError)
        {
            error = EnterReadLevel(EncryptionLevel.Application);
        }

        if (error.IsError)
        {
            return error;
        }

        SendMessage(EncryptionLevel.Handshake, HandshakeType.Finished, []);
        GiveSecret(EncryptionLevel.Application, KeyDirection.Receive);
        GiveSecret(EncryptionLevel.Application, KeyDirection.Send);
        Complete();
        return default;
    }

    private TransportError FinishAsServer()
    {
        TransportError error = EnterReadLevel(EncryptionLevel.Application);
        if (!error.IsError)
        {
            GiveSecret(EncryptionLevel.Application, KeyDirection.Receive);
            Complete();
        }

        return error;
    }

    private void Complete()
    {
        IsComplete = true;
        Host.OnHandshakeComplete();
    }

    private void GiveSecret(EncryptionLevel level, KeyDirection direction)
    {
        Span<byte> secret = stackalloc byte[SecretLength];
        bool fromServer = _isServer == (direction == KeyDirection.Send);
        secret.Fill((byte)((2 * (int)level) + (fromServer ? 1 : 0)));
        Host.OnSecret(level, direction, CipherSuite, secret);
    }

    private void SendParameters(EncryptionLevel level, HandshakeType type)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var writer = new WireWriter(buffer);
        Host.WriteTransportParameters(ref writer);
        SendMessage(level, type, Spoil is null ? writer.Written : Spoil(writer.Written.ToArray()));
    }

    private void SendMessage(EncryptionLevel level, HandshakeType type, ReadOnlySpan<byte> body) =>
        Host.OnHandshakeData(level, [(byte)type, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body]);
}
