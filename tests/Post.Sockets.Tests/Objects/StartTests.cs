using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Objects;

/// <summary>Where an object begins on one connection, as its sender and its receiver see it.</summary>
[TestClass]
public sealed class StartTests
{
    [TestMethod]
    public void A_sender_is_told_once_for_each_time_it_asks()
    {
        var start = default(OutboundStart);
        Assert.AreEqual(PostErrorCode.OffsetError, start.Answer(0, 10), "nobody asked");
        start.Ask();
        Assert.AreEqual(PostErrorCode.OffsetError, start.Answer(11, 10));
        Assert.AreEqual(PostErrorCode.NoError, start.Answer(10, 10));
        Assert.AreEqual((OutboundStart.Step.Told, 10L), (start.State, start.Offset));
        Assert.AreEqual(PostErrorCode.OffsetError, start.Answer(10, 10));
        start.Forget();
        Assert.AreEqual((OutboundStart.Step.Unsaid, 0L), (start.State, start.Offset));
        start.Ask();
        Assert.AreEqual(PostErrorCode.NoError, start.Answer(PostInteger.MaxValue, null), "of an unknown length");
    }

    [TestMethod]
    public void A_sender_that_is_told_in_hello_does_not_ask()
    {
        var start = default(OutboundStart);
        start.GoOn(7);
        Assert.AreEqual((OutboundStart.Step.Told, 7L), (start.State, start.Offset));
        Assert.AreEqual(PostErrorCode.OffsetError, start.Answer(8, 10));
    }

    [TestMethod]
    public void A_receiver_answers_each_time_that_it_is_asked()
    {
        var start = InboundStart.Of(isAsked: true);
        Assert.IsTrue(start is { IsOpen: true, IsAwaited: true });
        Assert.IsTrue(start.Say(), "now");
        Assert.IsFalse(start.Settle(), "and not twice");
        start.Interrupt();
        Assert.AreEqual(PostErrorCode.NoError, start.GoOn(offset: -1, position: 50));
        Assert.IsTrue(start is { State: InboundStart.Step.AskedAgain, IsOpen: false, IsAwaited: true });
        start.Interrupt();
        Assert.AreEqual(InboundStart.Step.Said, start.State);
        Assert.AreEqual(PostErrorCode.NoError, start.GoOn(offset: -1, position: 50));
        Assert.IsTrue(start.Settle());
        Assert.IsFalse(start.IsAwaited);
    }

    [TestMethod]
    public void A_receiver_that_speaks_between_two_connections_answers_on_the_next()
    {
        var start = InboundStart.Of(isAsked: true);
        start.Interrupt();
        Assert.IsTrue(start is { State: InboundStart.Step.Forgotten, IsOpen: true, IsAwaited: false });
        Assert.IsFalse(start.Say(), "nobody hears it");
        Assert.AreEqual(PostErrorCode.NoError, start.GoOn(offset: -1, position: 30));
        Assert.IsTrue(start.Settle());
    }

    [TestMethod]
    public void A_receiver_that_has_not_spoken_is_asked_again()
    {
        var start = InboundStart.Of(isAsked: true);
        start.Interrupt();
        Assert.AreEqual(PostErrorCode.OffsetError, start.GoOn(offset: 0, position: 0), "nobody has said where it begins");
        Assert.AreEqual(PostErrorCode.NoError, start.GoOn(offset: -1, position: 0));
        Assert.AreEqual(InboundStart.Step.Asked, start.State);
        Assert.IsFalse(start.Settle());
        Assert.IsTrue(start.Say());
    }

    [TestMethod]
    [DataRow(0L, 5L, true)]
    [DataRow(5L, 5L, true)]
    [DataRow(6L, 5L, false)]
    public void A_copy_that_states_its_offset_leaves_no_gap(long offset, long position, bool valid)
    {
        foreach (var asked in new[] { true, false })
        {
            var start = InboundStart.Of(asked);
            if (asked)
            {
                start.Say();
            }

            start.Interrupt();
            Assert.AreEqual(valid ? PostErrorCode.NoError : PostErrorCode.OffsetError, start.GoOn(offset, position));
            Assert.IsFalse(start.IsAwaited);
        }
    }
}
