using System.Security.Cryptography;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// The keys of Initial packets, derived from the destination connection id of the client's first one (RFC 9001 section
/// 5.2). They hide nothing: they only tell accidents and off-path forgeries from packets of this connection.
/// </summary>
internal static class InitialSecrets
{
    public const CipherSuite Suite = CipherSuite.Aes128GcmSha256;

    private const int SecretLength = 32;

    /// <summary>The secret of one of the two sides.</summary>
    public static void Derive(
        QuicVersion version, ReadOnlySpan<byte> clientDestinationConnectionId, bool ofClient, Span<byte> secret)
    {
        Span<byte> common = stackalloc byte[SecretLength];
        Hkdf.Extract(HashAlgorithmName.SHA256, VersionSecrets.InitialSalt(version), clientDestinationConnectionId, common);
        Hkdf.ExpandLabel(HashAlgorithmName.SHA256, common, ofClient ? "client in"u8 : "server in"u8, [], secret);
    }

    /// <summary>The keys as one endpoint holds them.</summary>
    public static (PacketKeys Send, PacketKeys Receive) CreateKeys(
        CryptoProvider provider, QuicVersion version, in ConnectionId clientDestinationConnectionId, bool isClient)
    {
        Span<byte> secret = stackalloc byte[SecretLength];
        Derive(version, clientDestinationConnectionId.Span, ofClient: isClient, secret);
        PacketKeys send = PacketKeys.Create(provider, version, Suite, KeyDirection.Send, secret);
        Derive(version, clientDestinationConnectionId.Span, ofClient: !isClient, secret);
        PacketKeys receive = PacketKeys.Create(provider, version, Suite, KeyDirection.Receive, secret);
        return (send, receive);
    }
}
