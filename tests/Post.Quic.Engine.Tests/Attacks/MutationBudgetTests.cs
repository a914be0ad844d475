using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Attacks;

/// <summary>That the spoiled inputs add up to what is promised; that each test runs its share, it sees to itself.</summary>
[TestClass]
public sealed class MutationBudgetTests
{
    [TestMethod]
    public void A_million_packets_frames_parameters_and_TLS_messages_are_spoiled()
    {
        Dictionary<MutationRoom, int> inputs = MutationBudget.Of(typeof(MutationBudgetTests).Assembly);
        foreach (MutationRoom room in Enum.GetValues<MutationRoom>().Where(static room => room < MutationRoom.PostObjects))
        {
            Assert.IsTrue(inputs.ContainsKey(room), $"No test runs {room}.");
        }

        Assert.IsGreaterThanOrEqualTo(
            MutationBudget.Promised, inputs.Values.Sum(), string.Join(", ", inputs.Select(static room => $"{room.Key} {room.Value}")));
    }

    [TestMethod]
    public void A_unit_that_spoils_less_than_it_should_fails_its_test()
    {
        Assert.ThrowsExactly<AssertFailedException>(
            static () => MutationRun.Of(MutationRoom.Handshakes, 1, static (ref FuzzRandom _, int _) => 0));
        Assert.ThrowsExactly<AssertFailedException>(
            static () => MutationRun.Of(MutationRoom.Handshakes, 1, static (ref FuzzRandom _, int most) => most + 1));
    }

    [TestMethod]
    public void A_failure_names_the_seed_that_repeats_it()
    {
        ulong drawn = 0;
        AssertFailedException failure = Assert.ThrowsExactly<AssertFailedException>(
            () => MutationRun.Of(MutationRoom.Handshakes, 1, (ref FuzzRandom random, int _) =>
            {
                drawn = random.Next();
                return random.Below(10) == 0 ? throw new InvalidOperationException("bad luck") : 1;
            }));
        System.Text.RegularExpressions.Match named =
            System.Text.RegularExpressions.Regex.Match(failure.Message, "POST_QUIC_SEED=([0-9]+): bad luck");
        Assert.IsTrue(named.Success, failure.Message);
        ulong seed = ulong.Parse(named.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.AreEqual(drawn, new FuzzRandom(seed).Next());
    }
}
