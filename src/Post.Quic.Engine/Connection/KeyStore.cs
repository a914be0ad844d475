using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>The keys of all levels, as they come and go (RFC 9001 section 4.9).</summary>
internal sealed class KeyStore : IDisposable
{
    private readonly CryptoProvider _provider;
    private PacketKeys? _initialSend;
    private PacketKeys? _initialReceive;
    private PacketKeys? _otherInitialReceive;
    private QuicVersion _initialVersion;
    private QuicVersion _otherVersion;
    private PacketKeys? _earlySend;
    private PacketKeys? _earlyReceive;
    private PacketKeys? _handshakeSend;
    private PacketKeys? _handshakeReceive;
    private byte _discarded;

    public KeyStore(CryptoProvider provider)
    {
        _provider = provider;
    }

    /// <summary>The 1-RTT keys; null before TLS gave the first of them.</summary>
    public ApplicationKeys? Application { get; private set; }

    /// <summary>Replaces the Initial keys: at the start, and after a Retry.</summary>
    public void SetInitial(QuicVersion version, in ConnectionId clientDestination, bool isClient)
    {
        _initialSend?.Dispose();
        _initialReceive?.Dispose();
        Drop(ref _otherInitialReceive);
        _otherVersion = default;
        _initialVersion = version;
        (_initialSend, _initialReceive) = InitialSecrets.CreateKeys(_provider, version, clientDestination, isClient);
    }

    /// <summary>
    /// The version changed in mid-handshake (RFC 9368 section 2.3): we send in the new one, and still read what the
    /// peer sent in the old one.
    /// </summary>
    public void ChangeInitialVersion(QuicVersion version, in ConnectionId clientDestination, bool isClient)
    {
        _initialSend?.Dispose();
        _otherInitialReceive?.Dispose();
        _otherInitialReceive = _initialReceive;
        _otherVersion = _initialVersion;
        _initialVersion = version;
        (_initialSend, _initialReceive) = InitialSecrets.CreateKeys(_provider, version, clientDestination, isClient);
    }

    /// <summary>
    /// Client: the server may answer in another version than ours; makes the keys to see whether it did.
    /// </summary>
    public void PrepareInitialFor(QuicVersion version, in ConnectionId clientDestination, bool isClient)
    {
        if (version != _initialVersion && version != _otherVersion)
        {
            _otherVersion = version;
            (PacketKeys send, _otherInitialReceive) =
                InitialSecrets.CreateKeys(_provider, version, clientDestination, isClient);
            send.Dispose();
        }
    }

    /// <summary>The keys that open an Initial packet of a version; null where there are none.</summary>
    public PacketKeys? InitialForReceiving(QuicVersion version) =>
        version == _initialVersion ? _initialReceive : version == _otherVersion ? _otherInitialReceive : null;

    public void Install(
        EncryptionLevel level, QuicVersion version, KeyDirection direction, CipherSuite suite, ReadOnlySpan<byte> secret)
    {
        if (level == EncryptionLevel.Application)
        {
            Application ??= new ApplicationKeys(_provider, version, suite);
            if (direction == KeyDirection.Send)
            {
                Application.InstallSend(secret);
            }
            else
            {
                Application.InstallReceive(secret);
            }

            return;
        }

        Slot(level, direction) = PacketKeys.Create(_provider, version, suite, direction, secret);
    }

    public bool CanSend(EncryptionLevel level) =>
        level == EncryptionLevel.Application ? Application is { CanSend: true } : Slot(level, KeyDirection.Send) is not null;

    public bool CanReceive(EncryptionLevel level) =>
        level == EncryptionLevel.Application
            ? Application is { CanReceive: true }
            : Slot(level, KeyDirection.Receive) is not null;

    public bool IsDiscarded(EncryptionLevel level) => (_discarded & (1 << (int)level)) != 0;

    public PacketKeys ForSending(EncryptionLevel level) => Slot(level, KeyDirection.Send)!;

    public PacketKeys ForReceiving(EncryptionLevel level) => Slot(level, KeyDirection.Receive)!;

    /// <summary>Forgets a level's keys for good; false if that was done before.</summary>
    public bool Discard(EncryptionLevel level)
    {
        if (IsDiscarded(level))
        {
            return false;
        }

        _discarded |= (byte)(1 << (int)level);
        Drop(ref Slot(level, KeyDirection.Send));
        Drop(ref Slot(level, KeyDirection.Receive));
        if (level == EncryptionLevel.Initial)
        {
            Drop(ref _otherInitialReceive);
        }

        return true;
    }

    public void Dispose()
    {
        Drop(ref _initialSend);
        Drop(ref _initialReceive);
        Drop(ref _otherInitialReceive);
        Drop(ref _earlySend);
        Drop(ref _earlyReceive);
        Drop(ref _handshakeSend);
        Drop(ref _handshakeReceive);
        Application?.Dispose();
        Application = null;
    }

    private static void Drop(ref PacketKeys? keys)
    {
        keys?.Dispose();
        keys = null;
    }

    private ref PacketKeys? Slot(EncryptionLevel level, KeyDirection direction)
    {
        bool send = direction == KeyDirection.Send;
        switch (level)
        {
            case EncryptionLevel.Initial:
                return ref send ? ref _initialSend : ref _initialReceive;
            case EncryptionLevel.EarlyData:
                return ref send ? ref _earlySend : ref _earlyReceive;
            default:
                return ref send ? ref _handshakeSend : ref _handshakeReceive;
        }
    }
}
