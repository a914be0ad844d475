using System.Globalization;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class FrameRulesTests
{
    /// <summary>
    /// RFC 9000 section 12.4, table 3, in its own letters: first and last type, packets, N (not ack-eliciting),
    /// C (not in flight), P (probing), and S for what only a server sends. RETIRE_CONNECTION_ID is without 0-RTT by
    /// section 12.5, CONNECTION_CLOSE of the application without Initial and Handshake by section 12.5. The rows from 24 on are
    /// those of the extensions.
    /// </summary>
    private const string Table = """
        00 00 IH01 NP
        01 01 IH01 -
        02 03 IH_1 NC
        04 04 __01 -
        05 05 __01 -
        06 06 IH_1 -
        07 07 ___1 S
        08 0f __01 -
        10 10 __01 -
        11 11 __01 -
        12 13 __01 -
        14 14 __01 -
        15 15 __01 -
        16 17 __01 -
        18 18 __01 P
        19 19 ___1 -
        1a 1a __01 P
        1b 1b ___1 P
        1c 1c IH01 NC
        1d 1d __01 NC
        1e 1e ___1 S
        1f 1f ___1 -
        24 24 __01 -
        30 31 __01 -
        3e 3f ___1 NC
        af af ___1 -
        3e75 3e7c ___1 -
        """;

    private static readonly (EncryptionLevel Level, char Letter)[] Levels =
    [
        (EncryptionLevel.Initial, 'I'),
        (EncryptionLevel.Handshake, 'H'),
        (EncryptionLevel.EarlyData, '0'),
        (EncryptionLevel.Application, '1'),
    ];

    [TestMethod]
    public void Every_type_stands_in_the_packets_that_the_RFC_names()
    {
        Dictionary<ulong, (string Packets, string Marks)> rows = Rows();
        foreach (ulong type in Enumerable.Range(0, 0x200).Concat(Enumerable.Range(0x3e00, 0x100)).Select(type => (ulong)type))
        {
            bool known = rows.TryGetValue(type, out (string Packets, string Marks) row);
            foreach ((EncryptionLevel level, char letter) in Levels)
            {
                bool allowed = known && row.Packets.Contains(letter);
                Assert.AreEqual(allowed, FrameRules.IsAllowedIn(type, level), $"0x{type:x} in {level}");
                TransportErrorCode expected = allowed ? TransportErrorCode.NoError
                    : known ? TransportErrorCode.ProtocolViolation
                    : TransportErrorCode.FrameEncodingError;
                TransportError error = FrameRules.Check(type, level, fromServer: true, FrameEcho.All);
                Assert.AreEqual(expected, error.Code, $"0x{type:x} in {level}");
                Assert.AreEqual(!allowed, error.IsError, $"0x{type:x} in {level}");
            }
        }
    }

    [TestMethod]
    public void Every_type_says_of_its_packet_what_the_RFC_says()
    {
        foreach ((ulong type, (_, string marks)) in Rows())
        {
            Assert.AreEqual(!marks.Contains('N', StringComparison.Ordinal), FrameRules.IsAckEliciting(type), $"0x{type:x}");
            Assert.AreEqual(!marks.Contains('C', StringComparison.Ordinal), FrameRules.IsInFlight(type), $"0x{type:x}");
            Assert.AreEqual(marks.Contains('P', StringComparison.Ordinal), FrameRules.IsProbing(type), $"0x{type:x}");
        }
    }

    [TestMethod]
    public void A_client_that_sends_what_only_servers_send_is_a_protocol_violation()
    {
        foreach ((ulong type, (_, string marks)) in Rows())
        {
            TransportError error =
                FrameRules.Check(type, EncryptionLevel.Application, fromServer: false, FrameEcho.All);
            TransportErrorCode expected = marks.Contains('S', StringComparison.Ordinal)
                ? TransportErrorCode.ProtocolViolation
                : TransportErrorCode.NoError;
            Assert.AreEqual(expected, error.Code, $"0x{type:x}");
        }
    }

    [TestMethod]
    [DataRow(FrameType.Datagram, 0x0aUL)]
    [DataRow(FrameType.DatagramWithLength, 0x0aUL)]
    [DataRow(FrameType.ResetStreamAt, 0x07UL)]
    [DataRow(FrameType.AckFrequency, 0x07UL)]
    [DataRow(FrameType.ImmediateAck, 0x07UL)]
    [DataRow(FrameType.PathAck, 0x07UL)]
    [DataRow(FrameType.PathAckEcn, 0x07UL)]
    [DataRow(FrameType.PathAbandon, 0x07UL)]
    [DataRow(FrameType.PathConnectionIdsBlocked, 0x07UL)]
    public void A_frame_of_an_extension_that_was_not_offered_is_refused(ulong type, ulong code)
    {
        TransportError error =
            FrameRules.Check(type, EncryptionLevel.Application, fromServer: true, FrameExtensions.None);

        Assert.IsTrue(error.IsError);
        Assert.AreEqual(code, (ulong)error.Code);
        Assert.AreEqual(type, error.FrameType);
    }

    private static Dictionary<ulong, (string Packets, string Marks)> Rows()
    {
        var rows = new Dictionary<ulong, (string, string)>();
        foreach (string line in Table.Split('\n'))
        {
            string[] cells = line.Split(' ');
            ulong last = ulong.Parse(cells[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            for (ulong type = ulong.Parse(cells[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture); type <= last; type++)
            {
                rows.Add(type, (cells[2], cells[3]));
            }
        }

        return rows;
    }
}
