using System.Globalization;
using CsCheck;

namespace Post.Quic.Testing;

/// <summary>
/// Random cases that are the same in every run, so that what passed once passes again and a failure repeats. What fails is
/// shrunk, and printed with the seed that brings it back (CsCheck_Seed). POST_QUIC_WORLDS asks for that many other cases
/// beside them: the way to look for what nobody has seen yet.
/// </summary>
internal static class SeededSampling
{
    private const uint Stream = 0x9057;

    /// <summary>Runs an assertion over generated values.</summary>
    /// <param name="gen">Where they come from.</param>
    /// <param name="assert">Throws where one of them is wrong.</param>
    /// <param name="iter">How many.</param>
    /// <param name="print">How a failing value is shown.</param>
    public static void SampleSeeded<T>(this Gen<T> gen, Action<T> assert, int iter = 100, Func<T, string>? print = null)
    {
        if (Environment.GetEnvironmentVariable("CsCheck_Seed") is null)
        {
            for (int i = 0; i < iter; i++)
            {
                var random = new PCG(Stream, (ulong)i * 0x9e3779b97f4a7c15);
                string seed = random.ToString();
                T value = gen.Generate(random, null, out _);
                try
                {
                    assert(value);
                }
                catch (Exception)
                {
                    // Once more in the hands of the library, which looks for a smaller value that fails and says all there
                    // is to say.
                    gen.Sample(assert, seed: seed, iter: iter, print: print);
                    throw;
                }
            }

            iter = More();
        }

        if (iter > 0)
        {
            gen.Sample(assert, iter: iter, print: print);
        }
    }

    /// <inheritdoc cref="SampleSeeded{T}(Gen{T}, Action{T}, int, Func{T, string})"/>
    /// <param name="gen">Where they come from.</param>
    /// <param name="holds">False where one of them is wrong.</param>
    public static void SampleSeeded<T>(this Gen<T> gen, Func<T, bool> holds) =>
        gen.SampleSeeded(value => Assert.IsTrue(holds(value), "does not hold"));

    private static int More() =>
        int.TryParse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS"), CultureInfo.InvariantCulture, out int more) ? more : 0;
}
