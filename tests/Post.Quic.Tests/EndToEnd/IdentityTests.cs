using System.Security.Cryptography.X509Certificates;
using Post.Quic.Tests.Transports;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Who the two ends prove to be, and what they remember of each other.</summary>
[TestClass]
public sealed class IdentityTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Both_sides_know_each_other_by_their_keys(TestEngine client, TestEngine server)
    {
        using X509Certificate2 identity = Identity.CreateSelfSigned("client");
        await using PostPair pair = await ConnectAsync(client, server, new PairSetup
        {
            Client = new Local { Certificate = identity },
            ClientTrust = PeerTrust.Pinned(KeyFingerprint.Of(identity)),
        });

        Assert.AreEqual(PeerProof.PinnedKey, pair.Client.Peer.Proof);
        Assert.AreEqual(pair.ServerKey, pair.Client.Peer.Key);
        Assert.AreEqual(PeerProof.PinnedKey, pair.Server.Peer.Proof);
        Assert.AreEqual(KeyFingerprint.Of(identity), pair.Server.Peer.Key);
        pair.Client.Send(Bytes(5));
        Assert.HasCount(5, await TakeAsync(pair.Server));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_client_that_shows_nothing_is_nobody_to_a_server_that_asks_nothing(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);

        Assert.AreEqual(PeerIdentity.Anonymous, pair.Server.Peer);
        Assert.IsNull(pair.Server.Remote);
        Assert.IsTrue(pair.Client.IsInitiator);
        Assert.IsFalse(pair.Server.IsInitiator);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing(true)]
    [EachPairing(false)]
    public async Task A_server_that_trusts_keys_refuses_strangers(TestEngine client, TestEngine server, bool showsCertificate)
    {
        using X509Certificate2 known = Identity.CreateSelfSigned("known");
        using X509Certificate2 stranger = Identity.CreateSelfSigned("stranger");
        await using PostPair pair = await PostPair.ListenAsync(
            client,
            server,
            new PairSetup
            {
                Client = new Local { Certificate = showsCertificate ? stranger : null },
                ClientTrust = PeerTrust.Pinned(KeyFingerprint.Of(known)),
            },
            Cancel);
        int accepted = 0;
        pair.Listener.Register<Accept>(_ => accepted++);

        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(async () =>
        {
            Association association = await pair.AssociateOneSidedAsync(Cancel);

            // System.Net.Quic is done before the server has judged (RFC 8446 section 4.4.2.4), and shows nothing by which to wait for it.
            Assert.AreNotEqual(TestEngine.Managed, client, "It is known who was refused when the association is made.");
            await association.ReceiveAsync(Cancel);
        });

        Assert.AreEqual(PostErrorReason.Transport, refused.Reason);
        Assert.AreEqual(
            client == TestEngine.Managed ? TransportErrorReason.IdentityRefused : TransportErrorReason.AuthenticationFailed,
            ((TransportException)refused.InnerException!).Reason);
        Assert.Contains(showsCertificate ? "certificate_unknown (46)" : "certificate_required (116)", refused.Message);
        Assert.AreEqual(0, accepted);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing(true)]
    [EachPairing(false)]
    public async Task A_server_that_is_not_the_one_is_refused(TestEngine client, TestEngine server, bool byKey)
    {
        using X509Certificate2 other = Identity.CreateSelfSigned("other");
        await using PostPair pair = await PostPair.ListenAsync(
            client,
            server,
            new PairSetup { ServerTrust = byKey ? PeerTrust.Pinned(KeyFingerprint.Of(other)) : PeerTrust.CertificateAuthority() },
            Cancel);

        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(() => pair.AssociateOneSidedAsync(Cancel));

        Assert.AreEqual(PostErrorReason.Transport, refused.Reason);
        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, ((TransportException)refused.InnerException!).Reason);
        Assert.Contains(pair.ServerKey.ToString(), refused.Message, "The key that came.");
        Assert.Contains(pair.Listener.LocalEndPoints[0].ToString()!, refused.Message, "The address that was tried.");
        if (byKey)
        {
            Assert.Contains(KeyFingerprint.Of(other).ToString(), refused.Message, "The key that was expected.");
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task What_the_applications_judgement_throws_reaches_whoever_connects(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await PostPair.ListenAsync(
            client, server, new PairSetup { ServerTrust = PeerTrust.Callback((_, _, _) => throw new FileNotFoundException("no list of keys")) }, Cancel);

        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(() => pair.AssociateOneSidedAsync(Cancel));

        Exception? cause = refused;
        while (cause is not null and not FileNotFoundException)
        {
            cause = cause.InnerException;
        }

        Assert.AreEqual("no list of keys", cause?.Message);
        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, ((TransportException)refused.InnerException!).Reason);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_host_that_does_not_exist_is_named()
    {
        await using PostTransport transport = PostPair.TransportOf(TestEngine.Managed);

        PostException failure = await Assert.ThrowsExactlyAsync<PostException>(
            () => Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("nobody.invalid", 4433), cancellationToken: Cancel).AsTask());

        Assert.AreEqual(TransportErrorReason.HostNotFound, failure.TransportReason);
        Assert.Contains("'nobody.invalid'", failure.Message);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task The_application_judges_where_it_wants_to(TestEngine client, TestEngine server)
    {
        KeyFingerprint? shown = null;
        await using PostPair pair = await ConnectAsync(client, server, new PairSetup
        {
            ServerTrust = PeerTrust.Callback((certificate, _, _) =>
            {
                shown = KeyFingerprint.Of(certificate);
                return true;
            }),
        });

        Assert.AreEqual(pair.ServerKey, shown);
        Assert.AreEqual(PeerProof.Callback, pair.Client.Peer.Proof);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task The_second_association_resumes_the_session_or_shakes_hands_in_full(TestEngine client, TestEngine server)
    {
        var sessions = new SignalingSessionCache();
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Client = new Local { Sessions = sessions } });
        bool canResume = (pair.Client.Capabilities & pair.Server.Capabilities).HasFlag(TransportCapabilities.Resumption);
        if (canResume)
        {
            await sessions.PutAsync(Cancel);
        }

        (Association again, Association peer) = await pair.AssociateAsync(Cancel);
        await using (again)
        await using (peer)
        {
            SentObject sent = again.Send(Bytes(5));
            Assert.HasCount(5, await TakeAsync(peer));
            (await sent.Completion.WaitAsync(Cancel)).EnsureAcked();

            Assert.IsFalse(pair.Client.IsResumed);
            Assert.AreEqual(canResume, again.IsResumed);
            Assert.AreEqual(canResume, peer.IsResumed);
            Assert.AreEqual(pair.ServerKey, again.Peer.Key, "A resumed session has the identity of the first.");
        }
    }
}
