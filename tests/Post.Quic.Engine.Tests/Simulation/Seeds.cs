using System.Globalization;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>Which seeds a test runs: a few always, more where POST_QUIC_WORLDS says so, one where POST_QUIC_SEED does.</summary>
internal static class Seeds
{
    public static IEnumerable<ulong> Of(int count)
    {
        if (ulong.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_SEED"), CultureInfo.InvariantCulture, out ulong one))
        {
            return [one];
        }

        if (int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS"), CultureInfo.InvariantCulture, out int more))
        {
            count = Math.Max(count, more);
        }

        return Enumerable.Range(1, count).Select(seed => (ulong)seed);
    }
}
