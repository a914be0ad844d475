using System.Globalization;
using Post.Quic.Benchmarks.Cases;

namespace Post.Quic.Benchmarks.CommandLine;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchArguments
{
    /// <summary>What the engines are called here.</summary>
    public static readonly string[] EngineKeys = ["managed", "system-net-quic", "tls"];

    public BenchOptions Settings { get; private init; } = new();

    public IReadOnlyList<BenchCase> Cases { get; private init; } = [];

    public IReadOnlyList<string> Engines { get; private init; } = EngineKeys;

    public bool IsJson { get; private init; }

    public bool IsList { get; private init; }

    /// <summary>Where libmsquic is; null: where the system finds it.</summary>
    public string? MsQuicPath { get; private init; }

    /// <summary>Reads the command line.</summary>
    /// <param name="words">Its words.</param>
    /// <param name="problem">What is wrong with it, and what to do; null when nothing is.</param>
    public static BenchArguments Parse(IReadOnlyList<string> words, out string? problem)
    {
        var arguments = new BenchArguments();
        problem = null;
        for (int i = 0; i < words.Count && problem is null; i++)
        {
            string word = words[i];
            string? value = i + 1 < words.Count ? words[i + 1] : null;
            if (!word.StartsWith('-'))
            {
                arguments = arguments.WithCase(word, ref problem);
            }
            else if (word is "--json" or "--list" or "--help" or "-h" or "--tiny")
            {
                arguments = word switch
                {
                    "--json" => arguments with { IsJson = true },
                    "--tiny" => arguments with { Settings = BenchOptions.Tiny with { Seed = arguments.Settings.Seed } },
                    _ => arguments with { IsList = true },
                };
            }
            else
            {
                arguments = arguments.WithOption(word, value, ref problem);
                i++;
            }
        }

        return arguments with { IsList = arguments.IsList || arguments.Cases.Count == 0 };
    }

    private BenchArguments WithCase(string name, ref string? problem)
    {
        if (name == "all")
        {
            return this with { Cases = CaseCatalog.All };
        }

        if (CaseCatalog.All.FirstOrDefault(known => known.Name == name) is { } found)
        {
            return this with { Cases = [.. Cases, found] };
        }

        string[] near = [.. CaseCatalog.All.Select(known => known.Name).Where(known => known.Contains(name, StringComparison.OrdinalIgnoreCase))];
        problem = $"There is no case '{name}'. {(near.Length > 0 ? $"Did you mean {string.Join(" or ", near)}?" : "--list shows all.")}";
        return this;
    }

    private BenchArguments WithOption(string option, string? value, ref string? problem)
    {
        double number = 0;
        bool isNumber = value is not null
            && double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number)
            && number > 0 && number <= int.MaxValue * 1024.0;
        bool isWhole = isNumber && number == Math.Floor(number) && (number <= int.MaxValue || option == "--bytes");
        switch (option)
        {
            case "--engines" when value is not null:
                string[] wanted = value.Split(',');
                problem = Array.Find(wanted, engine => !EngineKeys.Contains(engine)) is { } unknown
                    ? $"There is no engine '{unknown}'. The engines are {string.Join(", ", EngineKeys)}."
                    : null;
                return this with { Engines = wanted };
            case "--msquic" when value is not null:
                problem = File.Exists(value) ? null : $"--msquic names '{value}', which is no file.";
                return this with { MsQuicPath = value };
            case "--seconds" when isNumber:
                return this with { Settings = Settings with { Seconds = number } };
            case "--bytes" when isWhole:
                return this with { Settings = Settings with { Bytes = (long)number } };
            case "--runs" when isWhole:
                return this with { Settings = Settings with { Runs = (int)number } };
            case "--streams" when isWhole:
                return this with { Settings = Settings with { Streams = (int)number } };
            case "--objects" when isWhole:
                return this with { Settings = Settings with { Objects = (int)number } };
            case "--echoes" when isWhole:
                return this with { Settings = Settings with { Echoes = (int)number } };
            case "--handshakes" when isWhole:
                return this with { Settings = Settings with { Handshakes = (int)number } };
            case "--associations" when isWhole:
                return this with { Settings = Settings with { Associations = (int)number } };
            case "--seed" when isWhole:
                return this with { Settings = Settings with { Seed = (int)number } };
            default:
                problem = $"'{option}' is no option, or '{value}' is no value for it: numbers are positive. --help shows all options.";
                return this;
        }
    }
}
