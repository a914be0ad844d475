using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using Post.Quic.Testing.Mutations;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Identities;

/// <summary>A peer's key and addresses as a short text.</summary>
[TestClass]
public sealed class RemoteTicketTests
{
    private const int ChecksumLength = 4;

    private static readonly KeyFingerprint Key = KeyFingerprint.OfPublicKey([1, 2, 3]);

    private static readonly RemoteTicket Example = new(Key, 4433, ["192.0.2.7", "2001:db8::7", "Files.Example.ORG"], showsBareKey: true);

    [TestMethod]
    public void A_ticket_says_again_what_was_put_into_it()
    {
        foreach (bool isBare in new[] { false, true })
        {
            foreach (int hosts in new[] { 1, 2, ProtocolLimits.MaxTicketHosts })
            {
                var ticket = new RemoteTicket(
                    Key,
                    hosts == 1 ? ushort.MaxValue : 1,
                    Enumerable.Range(0, hosts).Select(static i => (i % 3) switch { 0 => $"10.0.0.{i}", 1 => $"fd00::{i:x}", _ => $"host{i}.test" }),
                    isBare);
                RemoteTicket again = RemoteTicket.Parse($" {ticket}\n");
                Assert.AreEqual(ticket, again);
                Assert.AreEqual(ticket.GetHashCode(), again.GetHashCode());
                Assert.AreEqual((Key, ticket.Port, isBare), (again.Key, again.Port, again.ShowsBareKey));
                CollectionAssert.AreEqual(ticket.Hosts.ToArray(), again.Hosts.ToArray());
            }
        }
    }

    [TestMethod]
    public void The_form_of_a_ticket_stays_what_it_is()
    {
        // Of a ticket that somebody wrote down.
        var ticket = new RemoteTicket(KeyFingerprint.FromHash(new byte[32]), 4433, ["192.0.2.1"]);
        byte[] content = [0, .. new byte[32], 0x11, 0x51, 1, 192, 0, 2, 1];
        Assert.AreEqual("post1:" + Base64Url.EncodeToString([.. content, .. SHA256.HashData(content)[..4]]), ticket.ToString());
        Assert.IsLessThanOrEqualTo(70, ticket.ToString().Length);
    }

    [TestMethod]
    public void A_ticket_leads_to_the_peer_by_its_key_and_its_addresses()
    {
        Remote bare = Example.ToRemote();
        Assert.AreEqual(("files.example.org", 4433), (bare.Host, bare.Port));
        CollectionAssert.AreEqual(new[] { IPAddress.Parse("192.0.2.7"), IPAddress.Parse("2001:db8::7") }, bare.Addresses.ToArray());
        Assert.AreEqual(Key, bare.Trust.PinnedKeys.Single());
        Assert.IsTrue(bare.Trust is { TakesBareKeys: true, TakesCertificates: false });

        Remote certified = new RemoteTicket(Key, 1, ["192.0.2.7"]).ToRemote();
        Assert.AreEqual("192.0.2.7", certified.Host);
        Assert.IsTrue(certified.Trust is { TakesBareKeys: true, TakesCertificates: true });
    }

    [TestMethod]
    public void Any_change_of_a_letter_is_noticed()
    {
        string text = Example.ToString();
        for (int i = 0; i < text.Length; i++)
        {
            char other = text[i] == 'A' ? 'B' : 'A';
            Assert.IsFalse(RemoteTicket.TryParse(text[..i] + other + text[(i + 1)..], out _), $"letter {i}");
            Assert.IsFalse(RemoteTicket.TryParse(text[..i] + text[(i + 1)..], out _), $"without letter {i}");
            Assert.IsFalse(RemoteTicket.TryParse(text[..i], out _), $"the first {i} letters");
            Assert.IsFalse(RemoteTicket.TryParse(text[..i] + ' ' + text[i..], out _) && i > 0, $"a blank at {i}");
        }

        Assert.IsFalse(RemoteTicket.TryParse(text + "=", out _));
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => RemoteTicket.Parse(text[1..])).Message, "post1:");
    }

    [TestMethod]
    public void A_ticket_that_says_nothing_useful_cannot_be_made()
    {
        Assert.ThrowsExactly<ArgumentException>(() => new RemoteTicket(default, 1, ["a.test"]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new RemoteTicket(Key, 0, ["a.test"]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new RemoteTicket(Key, 65536, ["a.test"]));
        Assert.ThrowsExactly<ArgumentException>(() => new RemoteTicket(Key, 1, []));
        Assert.ThrowsExactly<ArgumentException>(() => new RemoteTicket(Key, 1, Enumerable.Repeat("a.test", ProtocolLimits.MaxTicketHosts + 1)));
        foreach (string host in new[] { "", "two words", "fe80::1%2", "-", "ä.test", new string('a', 300) })
        {
            Assert.ThrowsExactly<ArgumentException>(() => new RemoteTicket(Key, 1, [host]), host);
        }
    }

    [TestMethod]
    [Mutates(MutationRoom.RemoteTickets)]
    public void Damaged_tickets_are_refused_or_mean_something()
    {
        byte[] whole = Base64Url.DecodeFromChars(Example.ToString().AsSpan(6));
        int taken = 0;
        MutationRun.Of(MutationRoom.RemoteTickets, 1, (ref FuzzRandom random, int _) =>
        {
            byte[] buffer = [.. whole, 0, 0, 0, 0];
            int length = Mutator.Mutate(buffer, whole.Length, ref random);
            byte[] input = buffer[..length];
            if (random.Coin() && input.Length > ChecksumLength)
            {
                // A hostile ticket has the right checksum.
                SHA256.HashData(input.AsSpan(..^ChecksumLength)).AsSpan(..ChecksumLength).CopyTo(input.AsSpan(^ChecksumLength..));
            }

            string text = "post1:" + Base64Url.EncodeToString(input);
            if (RemoteTicket.TryParse(text, out RemoteTicket? ticket))
            {
                taken++;
                Assert.AreEqual(text, ticket.ToString());
                Assert.IsInRange(1, ProtocolLimits.MaxTicketHosts, ticket.Hosts.Count);
                Assert.AreEqual(ticket.Port, ticket.ToRemote().Port);
            }

            return 1;
        });
        Assert.IsGreaterThan(1_000, taken, "Too few mutations were taken.");
    }
}
