using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Paths;

/// <summary>Questions, answers, and how much may go to an address that has not answered (RFC 9000 section 8).</summary>
[TestClass]
public sealed class PathValidationTests
{
    [TestMethod]
    public void Challenges_go_again_at_growing_intervals_until_the_time_is_up()
    {
        PathValidation validation = default;
        validation.Start(interval: 100, duration: 1000, now: 0);
        var sent = new List<long>();
        for (long now = 0; now <= 1000; now++)
        {
            if (validation.WantsChallenge(now))
            {
                sent.Add(now);
                validation.OnChallengeSent((ulong)now + 1, expanded: true, now);
            }
        }

        CollectionAssert.AreEqual(new long[] { 0, 100, 300, 700 }, sent);
        Assert.IsTrue(validation.TryExpire(1000));
        Assert.AreEqual(PathValidationState.Failed, validation.State);
        Assert.IsFalse(validation.TryExpire(1001), "told once");
        Assert.AreEqual(long.MaxValue, validation.Deadline);
    }

    [TestMethod]
    public void Any_challenge_of_the_last_four_can_be_answered_and_nothing_else()
    {
        for (ulong answered = 3; answered <= 6; answered++)
        {
            PathValidation validation = default;
            validation.Start(1, 1_000_000, 0);
            for (ulong data = 1; data <= 6; data++)
            {
                validation.OnChallengeSent(data, expanded: data != 4, now: 0);
            }

            Assert.IsFalse(validation.TryAnswer(2), "too old");
            Assert.IsFalse(validation.TryAnswer(0), "never asked");
            Assert.IsTrue(validation.TryAnswer(answered));
            Assert.AreEqual(answered != 4, validation.ProvedMtu);
            Assert.IsFalse(validation.TryAnswer(answered), "answered once");
        }
    }

    [TestMethod]
    public void Without_a_challenge_no_answer_counts()
    {
        PathValidation validation = default;
        Assert.IsFalse(validation.TryAnswer(0));
        validation.Start(1, 100, 0);
        Assert.IsFalse(validation.TryAnswer(0));
    }

    [TestMethod]
    public void Three_times_what_came_may_go_and_not_a_byte_more()
    {
        AntiAmplification limit = default;
        Assert.AreEqual(0, limit.Budget);
        limit.OnReceived(1200);
        limit.OnSent(3000);
        Assert.AreEqual(600, limit.Budget);
        limit.OnSent(700);
        Assert.AreEqual(0, limit.Budget);
        limit.OnReceived(100);
        Assert.AreEqual(200, limit.Budget);
        limit.Validate();
        Assert.AreEqual(long.MaxValue, limit.Budget);
    }

    [TestMethod]
    public void Only_the_newest_questions_are_answered_and_each_once()
    {
        PathResponses responses = default;
        for (ulong data = 0; data < 100; data++)
        {
            responses.Add(data);
        }

        Assert.AreEqual(Limits.MaxPendingPathResponses, responses.Count);
        var writer = new WireWriter(new byte[1200]);
        while (responses.TryWrite(ref writer))
        {
        }

        Assert.AreEqual(0, responses.Count);
        Assert.AreEqual(99, writer.Written[^1]);
        Assert.AreEqual(9 * Limits.MaxPendingPathResponses, writer.Position);
    }
}
