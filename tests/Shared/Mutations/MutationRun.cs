using System.Globalization;

namespace Post.Quic.Testing.Mutations;

/// <summary>
/// Runs a test's share of a room. A unit is what repeats from its seed alone: one input, or a connection with the inputs
/// it saw. A failure names that seed; with POST_QUIC_SEED only that unit runs.
/// </summary>
internal static class MutationRun
{
    /// <summary>Spoils and checks; returns how many inputs it spoilt, at most <paramref name="most"/>.</summary>
    public delegate int Unit(ref FuzzRandom random, int most);

    /// <summary>Units until the room's inputs are spent; <paramref name="run"/> keeps the runs of a room apart.</summary>
    public static void Of(MutationRoom room, int run, Unit unit)
    {
        int budget = MutationBudget.InputsOfOneTest(room);
        if (ulong.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_SEED"), CultureInfo.InvariantCulture, out ulong one))
        {
            _ = RunUnit(room, one, unit, budget);
            return;
        }

        int ran = 0;
        for (int number = 0; ran < budget; number++)
        {
            int taken = RunUnit(room, FuzzRandom.SeedOf(((ulong)room << 32) | (uint)run, number), unit, budget - ran);
            Assert.IsInRange(1, budget - ran, taken, $"{room}: a unit that spoils nothing, or too much, is no part of the count.");
            ran += taken;
        }

        Assert.AreEqual(budget, ran, $"{room}: inputs");
    }

    private static int RunUnit(MutationRoom room, ulong seed, Unit unit, int most)
    {
        var random = new FuzzRandom(seed);
        try
        {
            return unit(ref random, most);
        }
        catch (Exception escaped)
        {
            throw new AssertFailedException(
                string.Create(CultureInfo.InvariantCulture, $"{room}, to repeat this one alone: POST_QUIC_SEED={seed}: {escaped.Message}"),
                escaped);
        }
    }
}
