using System.Security.Cryptography;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>RFC 9001 appendix A and RFC 9369 appendix A, byte for byte, with both implementations.</summary>
[TestClass]
public sealed class RfcPacketTests
{
    private const string ChaChaSecret = "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b";

    [TestMethod]
    [DataRow(1u, true, "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea")]
    [DataRow(1u, false, "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b")]
    [DataRow(0x6b3343cfu, true, "14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b")]
    [DataRow(0x6b3343cfu, false, "0263db1782731bf4588e7e4d93b7463907cb8cd8200b5da55a8bd488eafc37c1")]
    public void Initial_secrets_are_those_of_the_appendix(uint version, bool ofClient, string expected)
    {
        byte[] secret = new byte[32];
        InitialSecrets.Derive(
            (QuicVersion)version, Convert.FromHexString(RfcVectors.DestinationConnectionId), ofClient, secret);
        Assert.AreEqual(expected, Convert.ToHexStringLower(secret));
    }

    [TestMethod]
    [DataRow(1u, "quic key", "1f369613dd76d5467730efcbe3b1a22d")]
    [DataRow(1u, "quic iv", "fa044b2f42a3fd3b46fb255c")]
    [DataRow(1u, "quic hp", "9f50449e04a0e810283a1e9933adedd2")]
    [DataRow(0x6b3343cfu, "quicv2 key", "8b1a0bc121284290a29e0971b5cd045d")]
    [DataRow(0x6b3343cfu, "quicv2 iv", "91f73e2351d8fa91660e909f")]
    [DataRow(0x6b3343cfu, "quicv2 hp", "45b95e15235d6f45a6b19cbcb0294ba9")]
    public void Labels_expand_to_the_keys_of_the_appendix(uint version, string label, string expected)
    {
        byte[] secret = new byte[32];
        InitialSecrets.Derive(
            (QuicVersion)version, Convert.FromHexString(RfcVectors.DestinationConnectionId), ofClient: true, secret);
        byte[] output = new byte[expected.Length / 2];
        Hkdf.ExpandLabel(HashAlgorithmName.SHA256, secret, System.Text.Encoding.ASCII.GetBytes(label), [], output);
        Assert.AreEqual(expected, Convert.ToHexStringLower(output));
    }

    [TestMethod]
    [DataRow(1u, "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9")]
    [DataRow(0x6b3343cfu, "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88")]
    public void The_key_update_label_expands_to_the_next_secret_of_the_appendix(uint version, string expected)
    {
        byte[] next = new byte[32];
        Hkdf.ExpandLabel(
            HashAlgorithmName.SHA256,
            Convert.FromHexString(ChaChaSecret),
            VersionSecrets.KeyUpdateLabel((QuicVersion)version),
            [],
            next);
        Assert.AreEqual(expected, Convert.ToHexStringLower(next));
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform, 1u, RfcVectors.ClientInitialVersion1)]
    [DataRow(CryptoProviders.LibCrypto, 1u, RfcVectors.ClientInitialVersion1)]
    [DataRow(CryptoProviders.Platform, 0x6b3343cfu, RfcVectors.ClientInitialVersion2)]
    [DataRow(CryptoProviders.LibCrypto, 0x6b3343cfu, RfcVectors.ClientInitialVersion2)]
    public void The_clients_Initial_is_protected_and_opened_as_in_the_appendix(string kind, uint version, string expected)
    {
        string header = version == 1
            ? "c300000001088394c8f03e5157080000449e00000002"
            : "d36b3343cf088394c8f03e5157080000449e00000002";
        byte[] packet = new byte[1200];
        Convert.FromHexString(header + RfcVectors.ClientHello).CopyTo(packet, 0);
        ProtectAndOpen(kind, (QuicVersion)version, fromClient: true, packet, packetNumberOffset: 18, 4, 2, expected);
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform, 1u, RfcVectors.ServerInitialVersion1)]
    [DataRow(CryptoProviders.LibCrypto, 1u, RfcVectors.ServerInitialVersion1)]
    [DataRow(CryptoProviders.Platform, 0x6b3343cfu, RfcVectors.ServerInitialVersion2)]
    [DataRow(CryptoProviders.LibCrypto, 0x6b3343cfu, RfcVectors.ServerInitialVersion2)]
    public void The_servers_Initial_is_protected_and_opened_as_in_the_appendix(string kind, uint version, string expected)
    {
        string header = version == 1
            ? "c1000000010008f067a5502a4262b50040750001"
            : "d16b3343cf0008f067a5502a4262b50040750001";
        byte[] packet = Convert.FromHexString(header + RfcVectors.ServerPayload + new string('0', 2 * PacketKeys.Overhead));
        ProtectAndOpen(kind, (QuicVersion)version, fromClient: false, packet, packetNumberOffset: 18, 2, 1, expected);
    }

    [TestMethod]
    [DataRow(1u, "4cfe4189655e5cd55c41f69080575d7999c25a5bfb")]
    [DataRow(0x6b3343cfu, "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba")]
    public void The_ChaCha20_short_header_packet_is_protected_as_in_the_appendix(uint version, string expected)
    {
        CryptoProvider provider = CryptoProviders.Get(CryptoProviders.LibCrypto);
        const CipherSuite Suite = CipherSuite.ChaCha20Poly1305Sha256;
        byte[] secret = Convert.FromHexString(ChaChaSecret);
        byte[] packet = Convert.FromHexString("4200bff401" + new string('0', 2 * PacketKeys.Overhead));
        using var send = PacketKeys.Create(provider, (QuicVersion)version, Suite, KeyDirection.Send, secret);
        using var receive = PacketKeys.Create(provider, (QuicVersion)version, Suite, KeyDirection.Receive, secret);

        send.Protect(packet, 1, 3, 654360564);
        Assert.AreEqual(expected, Convert.ToHexStringLower(packet));

        Assert.IsTrue(receive.TryUnprotectHeader(packet, 1, out int length, out uint truncated));
        Assert.AreEqual(3, length);
        Assert.AreEqual(49140u, truncated);
        Assert.IsTrue(receive.TryOpen(packet, 4, 654360564));
        Assert.AreEqual("4200bff401", Convert.ToHexStringLower(packet.AsSpan(0, 5)));
    }

    [TestMethod]
    [DataRow(CryptoProviders.Platform, 1u, "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba")]
    [DataRow(CryptoProviders.LibCrypto, 1u, "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba")]
    [DataRow(CryptoProviders.Platform, 0x6b3343cfu, "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6")]
    [DataRow(CryptoProviders.LibCrypto, 0x6b3343cfu, "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6")]
    public void The_Retry_tag_is_that_of_the_appendix_and_every_flipped_bit_breaks_it(string kind, uint version, string expected)
    {
        using var integrity = new RetryIntegrity(CryptoProviders.Get(kind));
        byte[] connectionId = Convert.FromHexString(RfcVectors.DestinationConnectionId);
        byte[] packet = Convert.FromHexString(expected);
        Assert.IsTrue(integrity.Verify((QuicVersion)version, connectionId, packet));

        packet.AsSpan(^RetryIntegrity.TagLength..).Clear();
        integrity.Write((QuicVersion)version, connectionId, packet);
        Assert.AreEqual(expected, Convert.ToHexStringLower(packet));

        for (int bit = 0; bit < packet.Length * 8; bit++)
        {
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsFalse(integrity.Verify((QuicVersion)version, connectionId, packet), $"bit {bit}");
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        connectionId[0] ^= 1;
        Assert.IsFalse(integrity.Verify((QuicVersion)version, connectionId, packet));
        Assert.IsFalse(integrity.Verify((QuicVersion)version, connectionId, packet.AsSpan(0, 15)));
    }

    private static void ProtectAndOpen(
        string kind,
        QuicVersion version,
        bool fromClient,
        byte[] packet,
        int packetNumberOffset,
        int packetNumberLength,
        ulong packetNumber,
        string expected)
    {
        CryptoProvider provider = CryptoProviders.Get(kind);
        var connectionId = new ConnectionId(Convert.FromHexString(RfcVectors.DestinationConnectionId));
        byte[] plain = packet.ToArray();
        (PacketKeys send, PacketKeys unusedReceive) = InitialSecrets.CreateKeys(provider, version, connectionId, fromClient);
        (PacketKeys unusedSend, PacketKeys receive) = InitialSecrets.CreateKeys(provider, version, connectionId, !fromClient);
        using (send)
        using (receive)
        using (unusedSend)
        using (unusedReceive)
        {
            send.Protect(packet, packetNumberOffset, packetNumberLength, packetNumber);
            Assert.AreEqual(expected, Convert.ToHexStringLower(packet));

            Assert.IsTrue(receive.TryUnprotectHeader(packet, packetNumberOffset, out int length, out uint truncated));
            Assert.AreEqual(packetNumberLength, length);
            Assert.AreEqual((uint)packetNumber, truncated);
            Assert.IsTrue(receive.TryOpen(packet, packetNumberOffset + length, packetNumber));
            CollectionAssert.AreEqual(plain[..^PacketKeys.Overhead], packet[..^PacketKeys.Overhead]);
        }
    }
}
